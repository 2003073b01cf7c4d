"""A bucket of an S3-compatible service.

Requests are signed by Signature Version 4, with the SHA-256 of the file, so that a file that was
changed on its way is refused; the public address is a presigned GET. The signatures are botocore's:
it is imported at the first of them, and only those parts that need no description of a service.
The bucket is named in the path, unless the host's name begins with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlsplit

from postsched.domain.hosting import MediaHost
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.hosting.base import Host, HostError

if TYPE_CHECKING:
    import httpx

GONE = (404, 410)
CODE, MESSAGE, REGION = (
    re.compile(f"<{tag}>([^<]*)</{tag}>") for tag in ("Code", "Message", "Region")
)
SKEWED = ("RequestTimeTooSkewed", "RequestExpired")
SLOW = ("SlowDown", "RequestTimeout", "OperationAborted")
"""Codes of refusals that pass (S3 API reference, error responses)."""


def can_sign() -> HostError | None:
    """What to say where the library for signatures is not installed."""
    if find_spec("botocore") is not None:
        return None
    return HostError(
        ErrorKind.PERMANENT,
        "for an S3 bucket as media host a library is missing",
        "Install it: pip install 'postsched[s3]'",
    )


class S3(Host):
    """`lasts` is for how long a presigned address is good. Raises HostError for a secret without
    both keys, and where the library is missing."""

    def __init__(self, place: MediaHost, secret: Secret, lasts: timedelta) -> None:
        super().__init__(place, secret)
        if missing := can_sign():
            raise missing
        import botocore.auth
        import botocore.awsrequest  # noqa: F401 - here, and not in the middle of a request

        self._keys = [secret.get(name) for name in ("access_key", "secret_key")]
        if not all(isinstance(key, str) and key for key in self._keys):
            raise HostError(
                ErrorKind.PERMANENT,
                "the media host's secret does not have both keys of an S3 bucket",
                'Give {"access_key": "…", "secret_key": "…"}: '
                "postsched media-host set --secret-stdin",
            )
        self._lasts = int(lasts.total_seconds())

    async def put(self, http: httpx.AsyncClient, name: str, file: Path, kind: str | None) -> None:
        """Store a file."""
        with file.open("rb") as body:
            size = body.seek(0, 2)
            body.seek(0)
            headers = {
                "Content-Type": kind or "application/octet-stream",
                "Content-Length": str(size),
            }
            # In a thread: it reads the whole file for its SHA-256.
            headers = await asyncio.to_thread(self._signed, "PUT", name, headers, body)
            body.seek(0)
            response = await self.ask(http, "PUT", self._url(name), headers, body)
        if not response.is_success:
            raise self._refusal(response)

    async def has(self, http: httpx.AsyncClient, name: str) -> bool:
        """Whether it is there."""
        headers = self._signed("HEAD", name, {})
        return (await self.ask(http, "HEAD", self._url(name), headers)).is_success

    async def remove(self, http: httpx.AsyncClient, name: str) -> None:
        """Remove it. A bucket that is gone has taken it along."""
        headers = self._signed("DELETE", name, {})
        response = await self.ask(http, "DELETE", self._url(name), headers)
        if not response.is_success and response.status_code not in GONE:
            raise self._refusal(response)

    def address(self, name: str) -> str:
        """At `public_url`, else presigned: whoever has it may read the object, for a while."""
        if self.place.public_url:
            return f"{self.place.public_url}/{quote(name)}"
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("GET", self._url(name))
        S3SigV4QueryAuth(*self._signing(), expires=self._lasts).add_auth(request)
        return str(request.url)

    def _signed(
        self, method: str, name: str, headers: Mapping[str, str], body: BinaryIO | None = None
    ) -> dict[str, str]:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, self._url(name), headers=dict(headers), data=body)
        S3SigV4Auth(*self._signing()).add_auth(request)
        return {str(key): str(value) for key, value in request.headers.items()}

    def _signing(self) -> tuple[Any, str, str]:
        """Credentials, service and region."""
        from botocore.credentials import Credentials

        token = self._secret.get("session_token")
        return Credentials(*self._keys, token), "s3", self.place.signing_region

    def _url(self, name: str) -> str:
        url, bucket = self.place.url, self.place.bucket or ""
        if (urlsplit(url).hostname or "").startswith(f"{bucket.lower()}."):
            return f"{url}/{quote(name)}"
        return f"{url}/{quote(bucket)}/{quote(name)}"

    def _refusal(self, response: httpx.Response) -> HostError:
        """What the service says in XML, where that is more than the status does."""
        text = response.text[:10_000]
        code, message, region = (
            found[1] if (found := pattern.search(text)) else ""
            for pattern in (CODE, MESSAGE, REGION)
        )
        region = region or response.headers.get("x-amz-bucket-region", "")
        status = response.status_code
        words = f"{code}: {message}" if message else code
        if code == "NoSuchBucket":
            return self.error(
                ErrorKind.PERMANENT, f"has no such bucket (HTTP {status})",
                "Make it there, or set bucket under [media_host]", http_status=status,
            )  # fmt: skip
        if region and region != self.place.signing_region and status in (301, 307, 400):
            return self.error(
                ErrorKind.PERMANENT, f"has the bucket in another region ({code or status})",
                f"Set under [media_host]: region = \"{region[:60]}\"", http_status=status,
            )  # fmt: skip
        if code in SKEWED:
            return self.error(
                ErrorKind.PERMANENT, f"finds that the clock here is wrong ({code})",
                "Set the clock (best by NTP)", http_status=status,
            )  # fmt: skip
        if code in SLOW:
            return self.error(ErrorKind.TRANSIENT, f"can't do it now ({code})", http_status=status)
        return self.refusal(response, words)
