"""A strict X on loopback, from the fact sheet and X's OpenAPI document.

It keeps one account. Whatever the sheet says X refuses is refused, with its status and words; what
a client must not send (unknown properties, the old vocabulary where only the new is known) is too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from html import escape
from typing import Any, ClassVar

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request
from postsched.testing.x_oauth import SCOPE, TOKEN, Guard
from postsched.testing.x_state import USERNAME, Post, Refusal, State, invalid, problem
from postsched.testing.x_timeline import row

USER = "2244994945"
WINDOW = 900 * 10**9
"""The time for which the quota of posts is, in nanoseconds."""
LINES = {
    "tweets": {"max_results", "since_id", "until_id", "start_time", "end_time", "exclude",
               "pagination_token", "expansions"},
    "me": {"user.fields", "tweet.fields", "expansions"},
    "status": {"command", "media_id"},
}  # fmt: skip
"""The query parameters that each call knows."""


class XServer(Loopback):
    """See the module.

    `limit` is the longest text; `quota` posts are allowed in 15 minutes; `delay` is the seconds
    after which a post shows on the timeline; `polls` how often a film is asked about before it is
    ready (less than 0: it fails); `words` is "tweet" or "post", the vocabulary that queries know;
    `same_text` says whether a text may be posted twice; `scopes` are the token's, `client_secret`
    is that of a confidential client; `credits` is "no" for an account without any.
    """

    publishing: ClassVar[tuple[str, str]] = ("POST", "/2/tweets")

    def __init__(
        self,
        *,
        limit: int | str = 280,
        quota: int | str = 100,
        delay: float | str = 0,
        polls: int | str = 1,
        words: str = "tweet",
        same_text: str = "no",
        scopes: str = SCOPE,
        client_secret: str | None = None,
        credits: str = "yes",  # noqa: A002 - what X calls them
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.state = State(self.clock, int(limit), int(polls), same_text=same_text == "yes")
        self.guard = Guard(self.clock, scopes, client_secret)
        self.quota = int(quota)
        self.delay = float(delay)
        self.words = words
        self.credits = credits
        self.reads_credits = "yes"
        self._window = (0, 0)
        self._transactions = 0

    def login(self, account: str = "me") -> Login:
        """A login to the server's one account."""
        return Login(account, self.url, Secret(TOKEN))

    def posts(self) -> list[Seen]:
        """What is out, oldest first."""
        return [
            Seen(post.id, post.text, post.parent, tuple(one.alt or "" for one in post.media))
            for post in self.state.posts.values()
        ]

    def forget_media(self) -> None:
        """Forget all uploads, as X does after a day."""
        self.state.uploads.clear()

    def answer(self, request: Request) -> Answer:
        """What X answers."""
        self._transactions += 1
        headers = {"x-transaction-id": f"{self._transactions:016x}"}
        try:
            answer = self._route(request)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body)
        return replace(answer, headers={**headers, **answer.headers})

    def _route(self, request: Request) -> Answer:
        for method, path, scope, act in ROUTES:
            match = re.fullmatch(path, request.path)
            if match and method == request.method:
                if scope:
                    self.guard.require(request, self.url, scope)
                return act(self, request, *match.groups())
        raise problem(404, "Not Found")

    # Who, and tokens

    def _me(self, request: Request) -> Answer:
        _known(request.query, LINES["me"])
        who = {"id": USER, "name": "Me", "username": USERNAME}
        return Answer(200, {"data": who})

    def _authorize(self, request: Request) -> Answer:
        return self.guard.authorize(request.query)

    def _token(self, request: Request) -> Answer:
        return self.guard.token(request)

    # Uploads

    def _simple(self, request: Request) -> Answer:
        form = _form(request, {"media", "media_category"})
        upload = self.state.simple(form["media_category"].decode(), form["media"])
        return Answer(200, {"data": self._upload_json(upload.id, upload.total)})

    def _initialize(self, request: Request) -> Answer:
        upload = self.state.begin(_document(request))
        return Answer(200, {"data": self._upload_json(upload.id)})

    def _append(self, request: Request, media_id: str) -> Answer:
        form = _form(request, {"media", "segment_index"})
        self.state.append(media_id, form["segment_index"].decode(), form["media"])
        return Answer(200, {"data": {"expires_at": int(self.clock() / 10**9) + 86400}})

    def _finalize(self, request: Request, media_id: str) -> Answer:
        upload = self.state.finalize(media_id)
        data = self._upload_json(upload.id, upload.total)
        if upload.polls:
            data["processing_info"] = {"state": "pending", "check_after_secs": 0}
        return Answer(200, {"data": data})

    def _status(self, request: Request) -> Answer:
        _known(request.query, LINES["status"])
        upload = self.state.found(request.query.get("media_id", ""))
        if request.query.get("command") != "STATUS" or not upload.finished:
            raise invalid("command is not STATUS, or the upload is not finalized")
        data = self._upload_json(upload.id, upload.total)
        return Answer(200, {"data": {**data, "processing_info": upload.state()}})

    def _upload_json(self, media_id: str, size: int | None = None) -> dict[str, Any]:
        data: dict[str, Any] = {"id": media_id, "media_key": f"3_{media_id}"}
        return {**data, "expires_after_secs": 86400, **({} if size is None else {"size": size})}

    def _describe(self, request: Request) -> Answer:
        upload = self.state.describe(_document(request))
        return Answer(
            200, {"data": {"id": upload.id, "associated_metadata": {"alt_text": upload.alt}}}
        )

    # Posts

    def _publish(self, request: Request) -> Answer:
        limits, full = self._count()
        if full:
            body = {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}
            return Answer(429, body, limits)
        try:
            self._require_credits(self.credits)
            post = self.state.create(_document(request))
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body, limits)
        self.ledger.append(
            {
                "id": post.id, "at": post.at, "text": post.text, "parent": post.parent,
                "alts": [one.alt for one in post.media], "reply_settings": post.reply_settings,
                "media": [one.category for one in post.media],
            }
        )  # fmt: skip
        data = {"id": post.id, "text": escape(post.text, quote=False)}
        return Answer(201, {"data": {**data, "edit_history_tweet_ids": [post.id]}}, limits)

    def _require_credits(self, has: str) -> None:
        if has == "no":
            raise Refusal(
                402,
                {
                    "title": "CreditsDepleted",
                    "detail": "Your enrolled account does not have any credits to fulfill this "
                    "request.",
                    "type": "https://api.x.com/2/problems/credits",
                },
            )

    def _count(self) -> tuple[dict[str, str], bool]:
        now = self.clock()
        start, count = self._window
        if now - start >= WINDOW:
            start, count = now, 0
        self._window = (start, count + 1)
        limits = {
            "x-rate-limit-limit": str(self.quota),
            "x-rate-limit-remaining": str(max(0, self.quota - count - 1)),
            "x-rate-limit-reset": str((start + WINDOW) // 10**9),
        }
        return limits, count >= self.quota

    def _delete(self, request: Request, post_id: str) -> Answer:
        if self.state.posts.pop(post_id, None) is None:
            error = {
                "value": post_id, "detail": f"Could not find tweet with id: [{post_id}].",
                "title": "Not Found Error", "resource_type": "tweet", "parameter": "id",
                "type": "https://api.x.com/2/problems/resource-not-found",
            }  # fmt: skip
            return Answer(200, {"errors": [error]})
        return Answer(200, {"data": {"deleted": True}})

    def _timeline(self, request: Request, user_id: str) -> Answer:
        query = request.query
        _known(query, LINES["tweets"] | {f"{self.words}.fields"})
        if user_id != USER:
            raise problem(404, "Could not find user")
        self._require_credits(self.reads_credits)
        size = query.get("max_results", "10")
        if not size.isdigit() or not 5 <= int(size) <= 100:
            raise invalid("The max_results is not one of 5 to 100", max_results=size)
        newest_first = sorted(self.state.posts.values(), key=lambda post: -int(post.id))
        shown = [post for post in newest_first if self._shows(post, query)]
        start = int(query.get("pagination_token", "0"))
        page = shown[start : start + int(size)]
        meta: dict[str, Any] = {"result_count": len(page)}
        if not page:
            return Answer(200, {"meta": meta})
        meta |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
        if start + len(page) < len(shown):
            meta["next_token"] = str(start + len(page))
        return Answer(200, {"data": [row(post, query, self.words) for post in page], "meta": meta})

    def _shows(self, post: Post, query: Mapping[str, str]) -> bool:
        if self.clock() - post.at < self.delay * 10**9:
            return False
        if since := query.get("since_id"):
            return int(post.id) > int(since)
        start = query.get("start_time")
        return not start or post.at >= _nanoseconds(start)


def _document(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise invalid("this call takes JSON")
    try:
        given = request.json
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise invalid("the body is no JSON object")
    return given


def _form(request: Request, wanted: set[str]) -> dict[str, bytes]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise invalid("this call takes multipart/form-data")
    given = {name: content for name, (_, content) in request.form.items()}
    if set(given) != wanted:
        raise invalid(f"wanted are {sorted(wanted)}, not {sorted(given)}")
    return given


def _known(query: Mapping[str, str], names: set[str]) -> None:
    for name in set(query) - names:
        raise invalid(
            f"The query parameter [{name}] is not one of {sorted(names)}", **{name: query[name]}
        )


def _nanoseconds(text: str) -> int:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
        raise invalid("start_time is not as RFC 3339 wants it", start_time=text)
    return int(datetime.fromisoformat(text).timestamp()) * 10**9


ROUTES: tuple[tuple[str, str, str | None, Callable[..., Answer]], ...] = (
    ("POST", "/2/tweets", "tweet.write", XServer._publish),
    ("GET", "/2/users/me", "users.read", XServer._me),
    ("GET", r"/2/users/(\d+)/tweets", "tweet.read", XServer._timeline),
    ("DELETE", r"/2/tweets/(\d+)", "tweet.write", XServer._delete),
    ("POST", "/2/media/upload", "media.write", XServer._simple),
    ("POST", "/2/media/upload/initialize", "media.write", XServer._initialize),
    ("POST", r"/2/media/upload/(\d+)/append", "media.write", XServer._append),
    ("POST", r"/2/media/upload/(\d+)/finalize", "media.write", XServer._finalize),
    ("GET", "/2/media/upload", "media.write", XServer._status),
    ("POST", "/2/media/metadata", "media.write", XServer._describe),
    ("GET", "/2/oauth2/authorize", None, XServer._authorize),
    ("POST", "/2/oauth2/token", None, XServer._token),
)
"""Method, path, the scope it needs, and what answers it."""
