"""A strict Mastodon on loopback, from the fact sheet; also GoToSocial, Pleroma and Pixelfed.

It keeps one account with one token, and gives others to who logs in. Whatever the sheet says a
server refuses is refused, with the sheet's status and words; what a client must not send (unknown
fields, `scheduled_at`) is too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.loopback import PAGE, Loopback
from postsched.testing.mastodon_flavours import (
    FLAVOURS,
    content_html,
    instance_v1,
    instance_v2,
)
from postsched.testing.mastodon_oauth import SCOPES, LoginDesk
from postsched.testing.mastodon_state import Medium, Refusal, State, Status
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

TOKEN = "tok-2b7e151628aed2a6abf7158809cf4f3c"  # noqa: S105 - of a server that exists in tests
ACCOUNT = "7"
WINDOW = 300 * 10**9
"""The time for which the quota of requests is, in nanoseconds."""
FIELDS = frozenset(
    {"status", "media_ids", "visibility", "language", "sensitive", "spoiler_text", "in_reply_to_id"}
)


class MastodonServer(Loopback):
    """See the module.

    `flavour` is a name in FLAVOURS; `quota` requests are allowed in 5 minutes; `processing` is how
    many polls an upload takes (less than 0: it fails); `v1_only` hides what is under /api/v2;
    `scopes` are the token's.
    """

    publishing: ClassVar[tuple[str, str]] = ("POST", "/api/v1/statuses")

    def __init__(
        self,
        *,
        flavour: str = "mastodon",
        quota: int | str = 1_000_000,
        processing: int | str = 0,
        v1_only: bool = False,
        scopes: str = SCOPES,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.flavour = FLAVOURS[flavour]
        self.quota = int(quota)
        self.processing = int(processing)
        self.scopes = scopes
        self.state = State(self.flavour, self.clock)
        self.desk = LoginDesk()
        self.render: Callable[[str], str] = content_html
        self._v1_only = v1_only or not self.flavour.has_v2
        self._answers: dict[str, Answer] = {}
        self._refusals: list[Refusal] = []
        self._window = (0, 0)

    def login(self, account: str = "me") -> Login:
        """A login to the server's one account."""
        return Login(account, self.url, Secret(TOKEN))

    def posts(self) -> list[Seen]:
        """What is out, oldest first."""
        return [
            Seen(s.id, s.text, s.parent, tuple(m.description or "" for m in s.media), s.key)
            for s in self.state.statuses.values()
            if not s.deleted
        ]

    def put(self, text: str, *, at: int | None = None, parent: str | None = None) -> Status:
        """A status that the account's owner wrote elsewhere; `at` in nanoseconds."""
        at = self.clock() if at is None else at
        status = Status(self.state.new_id(), at, text, parent=parent)
        self.state.statuses[status.id] = status
        return status

    def refuse_next(self, status: int, words: str) -> None:
        """Let the next status be refused by the server itself, which may remember that."""
        self._refusals.append(Refusal(status, words))

    def forget_media(self) -> None:
        """Purge what is uploaded and not attached, as servers do after some hours."""
        media = self.state.media
        self.state.media = {name: medium for name, medium in media.items() if medium.attached}

    def answer(self, request: Request) -> Answer:
        """What a server of this flavour answers."""
        remaining, reset = self._count_request()
        limits = {
            "X-RateLimit-Limit": str(self.quota),
            "X-RateLimit-Remaining": str(max(0, remaining)),
            "X-RateLimit-Reset": _iso(reset, "microseconds"),
        }
        if remaining < 0:
            return Answer(429, {"error": "Too many requests"}, limits)
        try:
            answer = self._route(request)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body)
        return replace(answer, headers={**limits, **answer.headers})

    def _count_request(self) -> tuple[int, int]:
        now = self.clock()
        start, count = self._window
        if now - start >= WINDOW:
            start, count = now, 0
        self._window = (start, count + 1)
        return self.quota - count - 1, start + WINDOW

    def _route(self, request: Request) -> Answer:
        for method, path, scope, act in ROUTES:
            match = re.fullmatch(path, request.path)
            if match and method == request.method:
                self._authorize(request, scope)
                return act(self, request, *match.groups())
        raise Refusal(404, PAGE)

    def _authorize(self, request: Request, scope: str | None) -> None:
        if scope is None:
            return
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        scopes = {TOKEN: self.scopes, **self.desk.tokens}.get(token)
        if scopes is None:
            raise Refusal(401, "The access token is invalid")
        if scope not in scopes.split():
            raise Refusal(403, "This action is outside the authorized scopes")

    def _app(self, request: Request) -> Answer:
        return self.desk.register(request)

    def _consent(self, request: Request) -> Answer:
        return self.desk.authorize(request)

    def _token(self, request: Request) -> Answer:
        return self.desk.token(request)

    def _instance(self, request: Request, version: str) -> Answer:
        if version == "1":
            return Answer(200, instance_v1(self.flavour, "example.social"))
        if self._v1_only:
            raise Refusal(404, PAGE)
        return Answer(200, instance_v2(self.flavour, "example.social"))

    def _who(self, request: Request) -> Answer:
        source = {"privacy": "public", "sensitive": False, "language": None}
        return Answer(200, {**self._account(), "source": source})

    def _account(self) -> dict[str, Any]:
        return {"id": ACCOUNT, "username": "me", "acct": "me", "url": f"{self.url}/@me"}

    def _upload(self, request: Request, version: str) -> Answer:
        if version == "2" and self._v1_only:
            raise Refusal(404, PAGE)
        _, content = request.form.get("file", (None, b""))
        _, description = request.form.get("description", (None, b""))
        polls = self.processing if version == "2" else 0
        medium = self.state.upload(content, description.decode(), polls)
        return Answer(202 if medium.polls else 200, self._medium_json(medium))

    def _medium_state(self, request: Request, medium_id: str) -> Answer:
        medium = self.state.media.get(medium_id)
        if medium is None or medium.attached:
            raise Refusal(404, "Record not found")
        if medium.polls < 0:
            raise Refusal(422, "Error processing thumbnail for uploaded media")
        status = 206 if medium.polls else 200
        medium.polls = max(0, medium.polls - 1)
        return Answer(status, self._medium_json(medium))

    def _medium_json(self, medium: Medium) -> dict[str, Any]:
        return {
            "id": medium.id,
            "type": medium.type,
            "url": None if medium.polls else f"{self.url}/media/{medium.id}",
            "description": medium.description,
        }

    def _publish(self, request: Request) -> Answer:
        key = request.headers.get("idempotency-key")
        if key and self.flavour.replays_answers:
            return self._replayed(request, key)
        if key and (known := self.state.known(key)):
            return Answer(200, self._json(known))
        return self._create(request, key)

    def _replayed(self, request: Request, key: str) -> Answer:
        if old := self._answers.get(key):
            return replace(old, headers={**old.headers, "Idempotent-Replayed": "true"})
        try:
            answer = self._create(request, key)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body)
        self._answers[key] = answer
        return answer

    def _create(self, request: Request, key: str | None) -> Answer:
        if self._refusals:
            raise self._refusals.pop(0)
        status = self.state.create(_document(request), key)
        self.ledger.append(
            {
                "id": status.id, "at": status.at, "key": status.key, "text": status.text,
                "parent": status.parent, "alts": [medium.description for medium in status.media],
                "visibility": status.visibility, "warning": status.warning,
                "language": status.language, "sensitive": status.sensitive,
            }
        )  # fmt: skip
        return Answer(200, self._json(status))

    def _read(self, request: Request, status_id: str) -> Answer:
        return Answer(200, self._json(self.state.found(status_id)))

    def _source(self, request: Request, status_id: str) -> Answer:
        if not self.flavour.has_source:
            raise Refusal(404, PAGE)
        status = self.state.found(status_id)
        return Answer(200, {"id": status.id, "text": status.text, "spoiler_text": status.warning})

    def _delete(self, request: Request, status_id: str) -> Answer:
        status = self.state.found(status_id)
        status.deleted = True
        return Answer(200, {**self._json(status), "text": status.text})

    def _list(self, request: Request, account: str) -> Answer:
        if account != ACCOUNT:
            raise Refusal(404, "Record not found")
        return Answer(200, [self._json(status) for status in self.state.page(request.query)])

    def _json(self, status: Status) -> dict[str, Any]:
        parent = self.state.statuses.get(status.parent or "")
        return {
            "id": status.id,
            "created_at": _iso(status.at, "milliseconds"),
            "in_reply_to_id": status.parent if parent else None,
            "in_reply_to_account_id": ACCOUNT if parent else None,
            "sensitive": status.sensitive or bool(status.warning),
            "spoiler_text": status.warning,
            "visibility": status.visibility,
            "language": status.language or "en",
            "uri": f"{self.url}/users/me/statuses/{status.id}",
            "url": f"{self.url}/@me/{status.id}",
            "content": self.render(status.text),
            "reblog": {"id": "1"} if status.reblog else None,
            "application": {"name": "postsched", "website": None},
            "account": self._account(),
            "media_attachments": [self._medium_json(medium) for medium in status.media],
        }


def _document(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(400, "this server takes JSON")
    try:
        given = request.json
    except ValueError as error:
        raise Refusal(400, "There was a problem in the JSON you submitted") from error
    unknown = set(given) - FIELDS
    if unknown:
        raise Refusal(400, f"unknown fields: {', '.join(sorted(unknown))}")
    return dict(given)


def _iso(at: int, precision: str) -> str:
    moment = datetime.fromtimestamp(at / 10**9, UTC)
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


ROUTES: tuple[tuple[str, str, str | None, Callable[..., Answer]], ...] = (
    ("POST", "/api/v1/statuses", "write:statuses", MastodonServer._publish),
    ("GET", r"/api/v1/accounts/(\w+)/statuses", "read:statuses", MastodonServer._list),
    ("GET", "/api/v1/accounts/verify_credentials", "read:accounts", MastodonServer._who),
    ("POST", "/api/v1/apps", None, MastodonServer._app),
    ("GET", "/oauth/authorize", None, MastodonServer._consent),
    ("POST", "/oauth/token", None, MastodonServer._token),
    ("GET", r"/api/v(1|2)/instance", None, MastodonServer._instance),
    ("GET", r"/api/v1/statuses/(\w+)", "read:statuses", MastodonServer._read),
    ("GET", r"/api/v1/statuses/(\w+)/source", "read:statuses", MastodonServer._source),
    ("DELETE", r"/api/v1/statuses/(\w+)", "write:statuses", MastodonServer._delete),
    ("POST", r"/api/v(1|2)/media", "write:media", MastodonServer._upload),
    ("GET", r"/api/v1/media/(\w+)", "write:media", MastodonServer._medium_state),
)
"""Method, path, the scope it needs, and what answers it."""
