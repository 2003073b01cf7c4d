"""A strict Instagram on loopback, from the fact sheet.

It keeps one professional account, used by Instagram Login. Media are judged by their address: one
whose name has "missing" in it can't be fetched, and an image that is no JPEG is no format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, ClassVar
from urllib.parse import urlsplit

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.graph import DAY, TOKEN, Container, Refusal, Tokens, invalid, known
from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

USER, USERNAME = "17841400000000001", "me_on_instagram"
CREATE_FIELDS = {
    "access_token", "media_type", "caption", "image_url", "video_url", "alt_text",
    "is_carousel_item", "children", "share_to_feed",
}  # fmt: skip
LIST_FIELDS = {"id", "media_type", "permalink", "shortcode", "caption", "timestamp"}


@dataclass(frozen=True, slots=True)
class Post:
    """What is out; `at` in nanoseconds since the epoch."""

    id: str
    at: int
    container: Container

    @property
    def caption(self) -> str:
        """The text."""
        return self.container.form.get("caption", "")


class InstagramServer(Loopback):
    """See the module. `quota` is the posts of a day; `polls` how often the state of a container is
    asked before it is ready; `lag` the seconds for which a published one is still FINISHED."""

    publishing: ClassVar[tuple[str, str]] = ("POST", rf"/v26\.0/{USER}/media_publish")

    def __init__(
        self, *, quota: int | str = 100, polls: int | str = 0, lag: float | str = 0, **more: Any
    ) -> None:
        super().__init__(**more)
        self.tokens = Tokens(self.clock, "ig", in_header=True)
        self.quota, self.polls, self.lag = int(quota), int(polls), float(lag)
        self.containers: dict[str, Container] = {}
        self.out: dict[str, Post] = {}
        self.comments: dict[str, tuple[str, str, int]] = {}
        self._ids = 17_900_000_000_000_000

    def login(self, account: str = "me") -> Login:
        """A login to the server's one account."""
        return Login(account, self.url, Secret(TOKEN))

    def posts(self) -> list[Seen]:
        """What is out, oldest first."""
        return [Seen(p.id, p.caption, None, _alts(p), p.container.id) for p in self.out.values()]

    def expire(self) -> None:
        """Let a day pass for the containers."""
        for container in self.containers.values():
            container.at -= DAY

    def answer(self, request: Request) -> Answer:
        """What Instagram answers."""
        given = dict(request.query)
        if request.method == "POST":
            given |= {name: value.decode() for name, (_, value) in request.form.items()}
        try:
            for method, path, needs_token, act in ROUTES:
                match = re.fullmatch(path, request.path)
                if match and method == request.method:
                    if needs_token:
                        self.tokens.require(request, given)
                    return act(self, given, *match.groups())
            raise Refusal(2500, None, f"Unknown path components: {request.path}")
        except Refusal as refusal:
            return refusal.answer

    def _me(self, given: Mapping[str, str]) -> Answer:
        known(given, {"fields", "access_token"})
        return Answer(200, {"data": [{"user_id": int(USER), "username": USERNAME}]})

    def _authorize(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.authorize(given)

    def _token(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.first(given)

    def _exchange(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.exchange(given)

    def _refresh(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.refresh(given)

    def _create(self, given: Mapping[str, str]) -> Answer:
        known(given, CREATE_FIELDS)
        form = {name: value for name, value in given.items() if name != "access_token"}
        children = [self.containers.get(one) for one in form.get("children", "").split(",") if one]
        self._check(form, children)
        container = Container(
            self._new_id(), self.clock(), form, self.polls,
            children=[child for child in children if child],
        )  # fmt: skip
        self.containers[container.id] = container
        return Answer(200, {"id": container.id})

    def _check(self, form: Mapping[str, str], children: list[Container | None]) -> None:
        caption = form.get("caption", "")
        if len(caption) > 2200 or caption.count("#") > 30 or caption.count("@") > 20:
            raise Refusal(36004, 2207010, "The caption was too long")
        match form.get("media_type"):
            case None:
                _check_media(form.get("image_url"), {"", ".jpg", ".jpeg"})
            case "REELS" | "VIDEO":
                if form["media_type"] == "VIDEO" and "is_carousel_item" not in form:
                    raise invalid("VIDEO is for carousels: use REELS")
                if "alt_text" in form:
                    raise invalid("alt_text is for images")
                _check_media(form.get("video_url"), {"", ".mp4", ".mov"})
            case "CAROUSEL":
                self._check_children(children)
            case _:
                raise Refusal(100, 2207023, "The media type is unknown")

    def _check_children(self, children: list[Container | None]) -> None:
        if not 2 <= len(children) <= 10:
            raise Refusal(100, 2207028, "Your post won't work as a carousel")
        for child in children:
            if child is None or child.form.get("is_carousel_item") != "true":
                raise Refusal(100, 2207035, "This is no carousel item")
            if child.look(self.clock()) != "FINISHED":
                raise Refusal(9007, 2207027, "Media ID is not available")

    def _node(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"fields", "access_token"})
        fields = set(given.get("fields", "id").split(","))
        container, post = self.containers.get(number), self.out.get(number)
        if container is not None and not fields - {"id", "status_code", "status"}:
            state = container.look(self.clock())
            late = next((p for p in self.out.values() if p.container is container), None)
            if late and self.clock() - late.at < self.lag * 10**9:
                state = "FINISHED"
            return Answer(200, {"status_code": state, "status": f"{state}: …", "id": number})
        if post is None or fields - LIST_FIELDS:
            raise Refusal(100, 33, f"Unsupported get request. Object with ID '{number}' does not "
                          "exist")  # fmt: skip
        return Answer(200, {**_row(post, fields), "id": number})

    def _publish(self, given: Mapping[str, str]) -> Answer:
        known(given, {"creation_id", "access_token"})
        container = self.containers.get(given.get("creation_id", ""))
        if container is None or container.form.get("is_carousel_item"):
            raise Refusal(24, 2207006, "The media with the given id could not be found")
        refusals = {
            "IN_PROGRESS": Refusal(9007, 2207027, "Media ID is not available"),
            "EXPIRED": Refusal(-2, 2207020, "The media you are trying to access has expired"),
            "ERROR": Refusal(-1, 2207032, "Create media fail, please try to re-create media"),
            "PUBLISHED": Refusal(24, 2207006, "The media with the given id could not be found"),
        }
        if refusal := refusals.get(container.look(self.clock())):
            raise refusal
        if self._used() >= self.quota:
            raise Refusal(9, 2207042, "You reached maximum number of posts")
        container.state = "PUBLISHED"
        post = Post(self._new_id(), self.clock(), container)
        self.out[post.id] = post
        self.ledger.append({"id": post.id, "container": container.id, **container.form})
        return Answer(200, {"id": post.id})

    def _used(self) -> int:
        return sum(post.at > self.clock() - DAY for post in self.out.values())

    def _limit(self, given: Mapping[str, str]) -> Answer:
        known(given, {"fields", "access_token"})
        config = {"quota_total": self.quota, "quota_duration": 86400}
        return Answer(200, {"data": [{"quota_usage": self._used(), "config": config}]})

    def _list(self, given: Mapping[str, str]) -> Answer:
        known(given, {"fields", "since", "until", "limit", "access_token"})
        fields = set(given.get("fields", "id").split(","))
        if fields - LIST_FIELDS:
            raise invalid(f"Tried accessing nonexisting field {fields - LIST_FIELDS}")
        since = int(given.get("since", "0")) * 10**9
        shown = [post for post in reversed(self.out.values()) if post.at >= since]
        return Answer(200, {"data": [_row(p, fields) for p in shown[: int(given["limit"])]]})

    def _comment(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"message", "access_token"})
        if number not in self.out or not given.get("message", "").strip():
            raise invalid("message, or the post")
        comment = self._new_id()
        self.comments[comment] = (number, given["message"], self.clock())
        return Answer(200, {"id": comment})

    def _comments(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"fields", "access_token"})
        rows = [
            {"id": one, "text": text, "timestamp": _iso(at), "username": USERNAME}
            for one, (post, text, at) in self.comments.items() if post == number
        ]  # fmt: skip
        return Answer(200, {"data": rows})

    def _new_id(self) -> str:
        self._ids += 1
        return str(self._ids)


def _alts(post: Post) -> tuple[str, ...]:
    shown = post.container.children or [post.container]
    return tuple(one.form.get("alt_text", "") for one in shown)


def _row(post: Post, fields: set[str]) -> dict[str, Any]:
    whole = {
        "id": post.id, "media_type": "IMAGE", "shortcode": f"C{post.id}",
        "permalink": f"https://www.instagram.com/p/C{post.id}/", "caption": post.caption,
        "timestamp": _iso(post.at),
    }  # fmt: skip
    return {name: value for name, value in whole.items() if name in fields and value != ""}


def _check_media(url: str | None, suffixes: set[str]) -> None:
    address = urlsplit(url or "")
    if address.scheme not in ("https", "http") or "missing" in address.path:
        raise Refusal(9004, 2207052, "The media could not be fetched from this URI")
    if PurePosixPath(address.path).suffix.lower() not in suffixes:
        raise Refusal(36001, 2207005, "The image format is not supported")


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


ROUTES: tuple[tuple[str, str, bool, Callable[..., Answer]], ...] = (
    ("GET", r"/v26\.0/me", True, InstagramServer._me),
    ("POST", rf"/v26\.0/{USER}/media", True, InstagramServer._create),
    ("GET", rf"/v26\.0/{USER}/media", True, InstagramServer._list),
    ("POST", rf"/v26\.0/{USER}/media_publish", True, InstagramServer._publish),
    ("GET", rf"/v26\.0/{USER}/content_publishing_limit", True, InstagramServer._limit),
    ("GET", r"/v26\.0/(\d+)", True, InstagramServer._node),
    ("POST", r"/v26\.0/(\d+)/comments", True, InstagramServer._comment),
    ("GET", r"/v26\.0/(\d+)/comments", True, InstagramServer._comments),
    ("GET", "/oauth/authorize", False, InstagramServer._authorize),
    ("POST", "/oauth/access_token", False, InstagramServer._token),
    ("GET", "/access_token", False, InstagramServer._exchange),
    ("GET", "/refresh_access_token", False, InstagramServer._refresh),
)
"""Method, path, whether it needs a token, and what answers it."""
