"""Where media are put for the networks that fetch them from a public address: what is set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

AMAZON = re.compile(r"(?:.+\.)?s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com")
ENTRY = "[media_host]"
"""What its secret is kept under, beside those of accounts: no account can be called that."""
USUAL_REGION = "us-east-1"
"""What S3-compatible services that have no regions take."""


@dataclass(frozen=True, slots=True)
class MediaHost:
    """A bucket of an S3-compatible service, or (without a bucket) a place to PUT files to.

    `url` and `public_url` have no slash at the end. `public_url` is where the files are read,
    where that is another address than `url`.
    """

    url: str
    bucket: str | None = None
    region: str | None = None
    public_url: str | None = None

    @property
    def place(self) -> str:
        """The place as one text: what was put there is found again as long as it is the same."""
        return f"{self.url} {self.bucket}" if self.bucket else self.url

    @property
    def name(self) -> str:
        """What to call it in sentences: never more than host and bucket."""
        host = urlsplit(self.url).netloc
        return f"{host}, bucket {self.bucket}" if self.bucket else host

    @property
    def signing_region(self) -> str:
        """The region that requests are signed for: as set, or as an address of Amazon's says."""
        found = AMAZON.fullmatch(urlsplit(self.url).hostname or "")
        return self.region or (found[1] if found else USUAL_REGION)
