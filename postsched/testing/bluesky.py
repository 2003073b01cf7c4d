"""A strict Bluesky on loopback: one account on one server, as the reference PDS 0.5.35 answers.

Record keys are for ever: the same record again is no change, another one under the same key is
InvalidSwap where the client wants a new one. What the lexicon refuses is refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, ClassVar

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.bluesky_record import (
    COLLECTION,
    TID,
    Invalid,
    alts_of,
    blobs_of,
    check_post,
)
from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

HANDLE = "me.test"
DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
APP_PASSWORD = "7jl2-w4zu-5qof-m3xy"  # noqa: S105 - of a server that exists in tests
ACCESS_SECONDS = 2 * 3600
WINDOW = 3600 * 10**9
"""The time for which the points are, in nanoseconds."""
POINTS = {"putRecord": 2, "deleteRecord": 1}
SESSIONS = 30
"""Logins by password that are allowed in a window of this server."""
BLOB_LIMIT = 5 * 1024 * 1024
MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif"}


class Refusal(Exception):
    """An XRPC error."""

    def __init__(self, status: int, name: str, words: str) -> None:
        super().__init__(words)
        self.answer = Answer(status, {"error": name, "message": words})


class BlueskyServer(Loopback):
    """See the module. `points` are the writes allowed in an hour; `handles` are the handles it can
    resolve, with their DIDs. `records` are by record key, `blobs` by content id."""

    publishing: ClassVar[tuple[str, str]] = ("POST", r"/xrpc/com\.atproto\.repo\.putRecord")

    def __init__(self, *, points: int | str = 1_000_000, **more: Any) -> None:
        super().__init__(**more)
        self.points = int(points)
        self.handles = {HANDLE: DID}
        self.records: dict[str, dict[str, Any]] = {}
        self.blobs: dict[str, dict[str, Any]] = {}
        self.active = True
        self._tokens: dict[str, tuple[str, int]] = {}
        self._sessions = 0
        self._window = (0, 0)

    def login(self, account: str = "me") -> Login:
        """A login to the server's one account, signed in."""
        tokens = self.new_session()
        kept = {
            "password": APP_PASSWORD,
            "access_token": tokens["accessJwt"],
            "refresh_token": tokens["refreshJwt"],
        }
        return Login(account, self.url, Secret(kept), HANDLE)

    def posts(self) -> list[Seen]:
        """What is out, oldest first."""
        return [
            Seen(
                uri_of(rkey),
                record["text"],
                record.get("reply", {}).get("parent", {}).get("uri"),
                alts_of(record),
                rkey,
            )
            for rkey, record in self.records.items()
        ]

    def expire_access(self) -> None:
        """Let every access token expire."""
        self._tokens = {t: ("expired", e) if u == "access" else (u, e)
                        for t, (u, e) in self._tokens.items()}  # fmt: skip

    def revoke(self) -> None:
        """Let no token be good any more, as after a changed password."""
        self._tokens = dict.fromkeys(self._tokens, ("expired", 0))

    def forget_blobs(self) -> None:
        """Drop every blob that no record refers to."""
        kept = {blob["ref"]["$link"] for r in self.records.values() for blob in blobs_of(r)}
        self.blobs = {cid: blob for cid, blob in self.blobs.items() if cid in kept}

    def answer(self, request: Request) -> Answer:
        """What the server answers."""
        _, _, method = request.path.partition("/xrpc/")
        short = method.rpartition(".")[2]
        route = ROUTES.get((request.method, method))
        try:
            if route is None:
                raise Refusal(501, "MethodNotImplemented", f"{method} is not implemented")
            limits = self._spend(POINTS.get(short, 0))
            done = route(self, request)
        except Refusal as refusal:
            return refusal.answer
        return replace(done, headers=limits)

    # Sessions

    def _create_session(self, request: Request) -> Answer:
        body = _body(request, {"identifier", "password"})
        self._sessions += 1
        if self._sessions > SESSIONS:
            raise Refusal(429, "RateLimitExceeded", "Rate Limit Exceeded")
        if (body["identifier"], body["password"]) != (HANDLE, APP_PASSWORD):
            raise Refusal(401, "AuthenticationRequired", "Invalid identifier or password")
        return Answer(200, self.new_session())

    def _refresh_session(self, request: Request) -> Answer:
        if request.body:
            raise Refusal(
                400, "InvalidRequest", "A request body was provided when none was expected"
            )
        self._authorize(request, "refresh")
        return Answer(200, self.new_session())

    def _get_session(self, request: Request) -> Answer:
        self._authorize(request)
        status = {} if self.active else {"status": "deactivated"}
        return Answer(200, {"handle": HANDLE, "did": DID, "active": self.active, **status})

    def new_session(self) -> dict[str, Any]:
        """Tokens for the account, as createSession answers."""
        now = self.clock() // 10**9
        access = _token(len(self._tokens), now, now + ACCESS_SECONDS)
        self._tokens[access] = ("access", now + ACCESS_SECONDS)
        refresh = _token(len(self._tokens), now, now + 90 * 86400)
        self._tokens[refresh] = ("refresh", now + 90 * 86400)
        return {"accessJwt": access, "refreshJwt": refresh, "handle": HANDLE, "did": DID,
                "active": True}  # fmt: skip

    def _authorize(self, request: Request, use: str = "access") -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            raise Refusal(401, "AuthMissing", "Authentication Required")
        known = self._tokens.get(token) if scheme == "Bearer" else None
        if known is None:
            raise Refusal(400, "InvalidToken", "Token could not be verified")
        if known[0] == "expired" or known[1] * 10**9 < self.clock():
            raise Refusal(400, "ExpiredToken", "Token has expired")
        if known[0] != use:
            raise Refusal(400, "InvalidToken", "Bad token scope")

    def _spend(self, points: int) -> Mapping[str, str]:
        start, spent = self._window
        if self.clock() - start >= WINDOW:
            start, spent = self.clock(), 0
        self._window = (start, spent + points)
        left, reset = self.points - spent - points, (start + WINDOW) // 10**9
        headers = {
            "RateLimit-Limit": str(self.points),
            "RateLimit-Remaining": str(max(0, left)),
            "RateLimit-Reset": str(reset),
            "RateLimit-Policy": f"{self.points};w=3600",
        }
        if left < 0:
            refusal = Refusal(429, "RateLimitExceeded", "Rate Limit Exceeded")
            refusal.answer = replace(refusal.answer, headers=headers)
            raise refusal
        return headers

    # Identity, blobs and records

    def _resolve(self, request: Request) -> Answer:
        did = self.handles.get(request.query.get("handle", ""))
        if did is None:
            raise Refusal(400, "InvalidRequest", "Unable to resolve handle")
        return Answer(200, {"did": did})

    def _upload(self, request: Request) -> Answer:
        self._authorize(request)
        if len(request.body) > BLOB_LIMIT:
            raise Refusal(413, "PayloadTooLarge", "request entity too large")
        claimed = request.headers.get("content-type", "application/octet-stream")
        kind = next((k for start, k in MAGIC.items() if request.body.startswith(start)), claimed)
        cid = _cid("bafkrei", request.body)
        ref = {"$link": cid}
        blob = {"$type": "blob", "ref": ref, "mimeType": kind, "size": len(request.body)}
        self.blobs.setdefault(cid, blob)
        return Answer(200, {"blob": blob})

    def _get(self, request: Request) -> Answer:
        rkey = _query(request)["rkey"]
        if rkey not in self.records:
            words = f"Could not locate record: {uri_of(rkey)}"
            raise Refusal(400, "RecordNotFound", words)
        return Answer(200, {**self._found(rkey), "value": self.records[rkey]})

    def _put(self, request: Request) -> Answer:
        self._authorize(request)
        body = _body(request, {"repo", "collection", "rkey", "record"}, {"swapRecord"})
        rkey, record = body["rkey"], body["record"]
        if body["repo"] != DID or body["collection"] != COLLECTION or not TID.fullmatch(rkey):
            raise Refusal(400, "InvalidRequest", "no such repo or collection, or no TID")
        try:
            check_post(record)
        except Invalid as error:
            words = f"Invalid {COLLECTION} record: {error}"
            raise Refusal(400, "InvalidRequest", words) from None
        current = self.records.get(rkey)
        if current == record:
            return Answer(200, {**self._found(rkey), "validationStatus": "valid"})
        if current is not None and "swapRecord" in body:
            raise Refusal(400, "InvalidSwap", f"Record was at {self._found(rkey)['cid']}")
        self._keep(rkey, record)
        commit = {"cid": _cid("bafyrei", rkey.encode()), "rev": rkey}
        return Answer(200, {**self._found(rkey), "commit": commit, "validationStatus": "valid"})

    def _keep(self, rkey: str, record: dict[str, Any]) -> None:
        for blob in blobs_of(record):
            cid = blob["ref"]["$link"]
            if self.blobs.get(cid) != blob:
                raise Refusal(400, "BlobNotFound", f"Could not find blob: {cid}")
        self.records[rkey] = record
        entry = {"uri": uri_of(rkey), "rkey": rkey, "text": record["text"], "at": self.clock()}
        self.ledger.append(entry)

    def _delete(self, request: Request) -> Answer:
        self._authorize(request)
        body = _body(request, {"repo", "collection", "rkey"})
        self.records.pop(body["rkey"], None)
        return Answer(200, {})

    def _found(self, rkey: str) -> dict[str, str]:
        content = json.dumps(self.records[rkey], sort_keys=True).encode()
        return {"uri": uri_of(rkey), "cid": _cid("bafyrei", content)}


ROUTES: dict[tuple[str, str], Callable[[BlueskyServer, Request], Answer]] = {
    ("POST", "com.atproto.server.createSession"): BlueskyServer._create_session,
    ("POST", "com.atproto.server.refreshSession"): BlueskyServer._refresh_session,
    ("GET", "com.atproto.server.getSession"): BlueskyServer._get_session,
    ("GET", "com.atproto.identity.resolveHandle"): BlueskyServer._resolve,
    ("POST", "com.atproto.repo.uploadBlob"): BlueskyServer._upload,
    ("GET", "com.atproto.repo.getRecord"): BlueskyServer._get,
    ("POST", "com.atproto.repo.putRecord"): BlueskyServer._put,
    ("POST", "com.atproto.repo.deleteRecord"): BlueskyServer._delete,
}


def uri_of(rkey: str) -> str:
    """The at:// address of a post."""
    return f"at://{DID}/{COLLECTION}/{rkey}"


def _body(request: Request, needed: set[str], allowed: set[str] | None = None) -> dict[str, Any]:
    if request.headers.get("content-type") != "application/json":
        raise Refusal(400, "InvalidRequest", "Wrong request encoding (Content-Type)")
    body = request.json
    if not isinstance(body, dict) or not needed <= body.keys() <= needed | (allowed or set()):
        raise Refusal(400, "InvalidRequest", f"Input must have the properties {sorted(needed)}")
    return body


def _query(request: Request) -> Mapping[str, str]:
    if request.query.keys() != {"repo", "collection", "rkey"}:
        raise Refusal(400, "InvalidRequest", "Params must have repo, collection and rkey")
    if (request.query["repo"], request.query["collection"]) != (DID, COLLECTION):
        raise Refusal(400, "InvalidRequest", "no such repo or collection")
    return request.query


def _cid(prefix: str, content: bytes) -> str:
    digest = sha256(content).digest()
    return prefix + base64.b32encode(digest).decode().lower().rstrip("=")


def _token(number: int, start: int, end: int) -> str:
    """Something of the shape of a JWT, with the times a client reads from one."""
    claims = {"sub": DID, "jti": number, "iat": start, "exp": end}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.{sha256(body.encode()).hexdigest()}"
