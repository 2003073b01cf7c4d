"""A strict S3 on loopback, with one bucket: every request must be signed, in its headers or in its
query. The signatures are reckoned here by hand, from the documentation of Signature Version 4
("Authenticating Requests", Amazon S3 API reference), so that they prove something of the library
that makes them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote
from xml.sax.saxutils import escape

from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

BUCKET, REGION = "media", "eu-central-1"
ACCESS_KEY, SECRET_KEY = "AKIDPLANTED0001", "planted/secret+key0001"
KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
ALGORITHM = "AWS4-HMAC-SHA256"
CREDENTIAL = re.compile(r"Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})")
EMPTY = hashlib.sha256(b"").hexdigest()


class Denied(Exception):
    """A request that is refused, with the code that S3 has for it."""

    def __init__(self, code: str, status: int = 403, more: str = "") -> None:
        super().__init__(code)
        words = f"<Code>{code}</Code><Message>{escape(code)} was said</Message>{more}"
        body = f"<?xml version='1.0'?><Error>{words}</Error>".encode()
        self.answer = Answer(status, body, {"Content-Type": "application/xml"})


class BucketServer(Loopback):
    """See the module. `objects` are those that are there, with their types; `ever` all names."""

    publishing: ClassVar[tuple[str, str]] = ("PUT", r"/.*")

    def __init__(self, *, bucket: str = BUCKET) -> None:
        super().__init__()
        self.bucket = bucket
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.ever: list[str] = []

    @property
    def settings(self) -> dict[str, str]:
        """The variables that make it the media host."""
        return {
            "POSTSCHED_MEDIA_HOST_URL": self.url,
            "POSTSCHED_MEDIA_HOST_BUCKET": self.bucket,
            "POSTSCHED_MEDIA_HOST_REGION": REGION,
        }

    def posts(self) -> list[Seen]:
        """There are none here."""
        return []

    def answer(self, request: Request) -> Answer:
        """What S3 answers."""
        _, bucket, name = (*request.path.split("/", 2), "")[:3]
        try:
            _check(request)
            if bucket != self.bucket:
                raise Denied("NoSuchBucket", 404)
            return self._act(request, name)
        except Denied as denied:
            if request.method == "HEAD":
                return Answer(denied.answer.status, b"")
            return denied.answer

    def _act(self, request: Request, name: str) -> Answer:
        if request.method == "PUT":
            if request.headers["x-amz-content-sha256"] != hashlib.sha256(request.body).hexdigest():
                raise Denied("XAmzContentSHA256Mismatch", 400)
            self.objects[name] = request.body, request.headers["content-type"]
            self.ever.append(name)
            return Answer(200, b"", {"ETag": '"x"'})
        if request.method == "DELETE":
            self.objects.pop(name, None)
            return Answer(204, b"")
        if name not in self.objects:
            raise Denied("NoSuchKey", 404)
        body, kind = self.objects[name]
        return Answer(200, b"" if request.method == "HEAD" else body, {"Content-Type": kind})


def _check(request: Request) -> None:
    """Raise Denied unless the signature is right."""
    query, headers = dict(request.query), request.headers
    if "X-Amz-Signature" in query:
        credential, signed = query["X-Amz-Credential"], query["X-Amz-SignedHeaders"]
        given, at, payload = query.pop("X-Amz-Signature"), query["X-Amz-Date"], "UNSIGNED-PAYLOAD"
        lasts = int(query["X-Amz-Expires"])
        if not 0 < lasts <= 7 * 86400 or request.method != "GET":
            raise Denied("AuthorizationQueryParametersError", 400)
    elif found := CREDENTIAL.search(headers.get("authorization", "")):
        credential, signed, given = found.groups()
        at, payload, lasts = headers["x-amz-date"], headers["x-amz-content-sha256"], 900
    else:
        raise Denied("AccessDenied")
    key, _, scope = credential.partition("/")
    if key != ACCESS_KEY:
        raise Denied("InvalidAccessKeyId", more=f"<AWSAccessKeyId>{escape(key)}</AWSAccessKeyId>")
    date, region, service, end = scope.split("/")
    if (service, end) != ("s3", "aws4_request") or not at.startswith(date):
        raise Denied("AuthorizationHeaderMalformed", 400)
    if region != REGION:
        raise Denied("AuthorizationHeaderMalformed", 400, f"<Region>{REGION}</Region>")
    _check_time(at, lasts)
    text = "\n".join([ALGORITHM, at, scope, _digest(_canonical(request, query, signed, payload))])
    if not hmac.compare_digest(given, _signature(text, date, region)):
        raise Denied("SignatureDoesNotMatch", more=f"<StringToSign>{escape(text)}</StringToSign>")


def _check_time(at: str, lasts: int) -> None:
    made = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if datetime.now(UTC) - made > timedelta(seconds=lasts):
        raise Denied("RequestTimeTooSkewed")


def _canonical(request: Request, query: Mapping[str, str], signed: str, payload: str) -> str:
    names = signed.split(";")
    assert "host" in names
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in query.items())
    headers = [f"{name}:{' '.join(request.headers[name].split())}\n" for name in names]
    return "\n".join([
        request.method, request.path, "&".join(f"{k}={v}" for k, v in pairs), "".join(headers),
        signed, payload,
    ])  # fmt: skip


def _signature(text: str, date: str, region: str) -> str:
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
