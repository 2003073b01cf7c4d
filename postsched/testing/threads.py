"""A strict Threads on loopback, from the fact sheet.

It keeps one profile. Media are judged by their address: one whose name has "missing" in it can't be
fetched, ".gif" and ".webp" are no formats, and a film called "invalid_duration.mp4" fails so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from postsched.testing import threads_rules as rules
from postsched.testing.graph import DAY, Container, Refusal, Tokens, invalid, known
from postsched.testing.graph_server import LOGIN_ROUTES, ContainerServer, Route, iso
from postsched.testing.network import Seen
from postsched.testing.wire import Answer

USERNAME = "me_on_threads"
LIST_FIELDS = {"id", "media_type", "permalink", "shortcode", "text", "timestamp", "topic_tag",
               "link_attachment_url"}  # fmt: skip
QUOTA_FIELDS = {"quota_usage", "config", "reply_quota_usage", "reply_config",
                "delete_quota_usage", "delete_config"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Post:
    """What is out; `at` in nanoseconds since the epoch."""

    id: str
    at: int
    container: Container

    @property
    def text(self) -> str:
        """The text as it was sent."""
        return self.container.form.get("text", "")

    @property
    def parent(self) -> str | None:
        """What it replies to."""
        return self.container.form.get("reply_to_id")

    @property
    def shown(self) -> str:
        """The text as it is given back: the first tag has lost its sign."""
        return re.sub(r"#(?=\w)", "", self.text, count=1)

    @property
    def alts(self) -> tuple[str, ...]:
        """The alt texts of its media."""
        shown = self.container.children or [self.container]
        has = ("image_url", "video_url")
        return tuple(
            one.form.get("alt_text", "") for one in shown if any(n in one.form for n in has)
        )


class ThreadsServer(ContainerServer):
    """See the module.

    `reply_quota` is the replies of a day; `bearer` says whether tokens are taken from the header;
    `delay` is the seconds after which a post is in the list.
    """

    publishing: ClassVar[tuple[str, str]] = ("POST", "/v1.0/me/threads_publish")
    first_id: ClassVar[int] = 17_800_000_000_000_000
    tokens: Tokens

    def __init__(
        self,
        *,
        quota: int | str = 250,
        reply_quota: int | str = 1000,
        bearer: str = "yes",
        delay: float | str = 0,
        **more: Any,
    ) -> None:
        super().__init__(quota=quota, **more)
        self.tokens = Tokens(self.clock, "th", in_header=bearer == "yes")
        self.reply_quota, self.delay = int(reply_quota), float(delay)
        self.out: dict[str, Post] = {}

    def posts(self) -> list[Seen]:
        """What is out, oldest first."""
        return [
            Seen(post.id, post.text, post.parent, post.alts, post.container.id)
            for post in self.out.values()
        ]

    # Who, and tokens

    def _me(self, given: Mapping[str, str]) -> Answer:
        known(given, {"fields", "access_token"})
        return Answer(200, {"id": "17", "username": USERNAME, "name": "Me"})

    def _debug(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.about(given.get("input_token", ""))

    # Containers

    def _create(self, given: Mapping[str, str]) -> Answer:
        form = {name: value for name, value in given.items() if name != "access_token"}
        rules.check(form, self.containers, self.clock())
        if (parent := form.get("reply_to_id")) is not None and parent not in self.out:
            raise Refusal(24, 4279009, "Media Not Found")
        container = Container(
            self.new_id(), self.clock(), form,
            0 if form["media_type"] == "TEXT" else self.polls, rules.failure(form),
            children=[self.containers[one] for one in rules.children(form)],
        )  # fmt: skip
        self.containers[container.id] = container
        return Answer(200, {"id": container.id})

    def _node(self, given: Mapping[str, str], node: str) -> Answer:
        known(given, {"fields", "access_token"})
        fields = set(given.get("fields", "id").split(","))
        if container := self.containers.get(node):
            if fields - {"id", "status", "error_message"}:
                raise invalid(f"a container has no {fields}")
            return Answer(200, self._state(container))
        post = self.out.get(node)
        if post is None:
            raise _gone(node)
        if fields - LIST_FIELDS:
            raise invalid(f"Tried accessing nonexisting field {fields - LIST_FIELDS}")
        return Answer(200, {**self._row(post, fields), "id": node})

    def _state(self, container: Container) -> dict[str, Any]:
        late = next((p.at for p in self.out.values() if p.container is container), None)
        state = self.shown(container, late)
        body = {"status": state, "id": container.id}
        return {**body, "error_message": container.fails} if state == "ERROR" else body

    # Posts

    def _publish(self, given: Mapping[str, str]) -> Answer:
        known(given, {"creation_id", "access_token"})
        container = self.publishable(given)
        reply = "reply_to_id" in container.form
        if self._used(reply=reply) >= (self.reply_quota if reply else self.quota):
            raise Refusal(9, 2207042, "You reached maximum number of posts that is allowed to be "
                          "published by Content Publishing API.")  # fmt: skip
        container.state = "PUBLISHED"
        post = self.put(container)
        self.ledger.append(
            {"id": post.id, "at": post.at, "container": container.id, **container.form}
        )
        return Answer(200, {"id": post.id})

    def put(self, container: Container, at: int | None = None) -> Post:
        """Have a post of that container out."""
        post = Post(self.new_id(), self.clock() if at is None else at, container)
        self.out[post.id] = post
        return post

    def put_text(self, text: str, at: int | None = None) -> Post:
        """Have a post out that somebody made elsewhere."""
        form = {"media_type": "TEXT", "text": text}
        return self.put(Container(self.new_id(), self.clock(), form, state="PUBLISHED"), at)

    def _used(self, *, reply: bool) -> int:
        start = self.clock() - DAY
        return sum((p.parent is not None) is reply and p.at > start for p in self.out.values())

    def _limit(self, given: Mapping[str, str]) -> Answer:
        known(given, {"fields", "access_token"})
        if set(given.get("fields", "").split(",")) - QUOTA_FIELDS:
            raise invalid("unknown fields")
        day = {"quota_duration": 86400}
        row = {
            "quota_usage": self._used(reply=False),
            "config": {"quota_total": self.quota, **day},
            "reply_quota_usage": self._used(reply=True),
            "reply_config": {"quota_total": self.reply_quota, **day},
        }
        return Answer(200, {"data": [row]})

    def _threads(self, given: Mapping[str, str]) -> Answer:
        return self._list(given, replies=False)

    def _replies(self, given: Mapping[str, str]) -> Answer:
        return self._list(given, replies=True)

    def _list(self, given: Mapping[str, str], *, replies: bool) -> Answer:
        known(given, {"fields", "since", "until", "limit", "access_token"})
        fields = set(given.get("fields", "id").split(","))
        if fields - LIST_FIELDS:
            raise invalid(f"Tried accessing nonexisting field {fields - LIST_FIELDS}")
        since = int(given.get("since", "0")) * 10**9
        newest_first = sorted(self.out.values(), key=lambda post: -post.at)
        shown = [
            post for post in newest_first
            if (post.parent is not None) is replies
            and post.at >= since
            and self.clock() - post.at >= self.delay * 10**9
        ]  # fmt: skip
        page = shown[: int(given.get("limit", "25"))]
        return Answer(200, {"data": [self._row(post, fields) for post in page]})

    def _row(self, post: Post, fields: set[str]) -> dict[str, Any]:
        whole = {
            "id": post.id,
            "media_type": post.container.form["media_type"],
            "permalink": f"https://www.threads.net/@{USERNAME}/post/C{post.id}",
            "shortcode": f"C{post.id}",
            "text": post.shown,
            "timestamp": iso(post.at),
        }
        return {name: value for name, value in whole.items() if name in fields and value != ""}

    def _delete(self, given: Mapping[str, str], node: str) -> Answer:
        if self.out.pop(node, None) is None:
            raise _gone(node)
        return Answer(200, {"success": True, "deleted_id": node})

    routes: ClassVar[tuple[Route, ...]] = (
        ("GET", "/v1.0/me", True, _me),
        ("GET", "/v1.0/debug_token", True, _debug),
        ("POST", "/v1.0/me/threads", True, _create),
        ("POST", "/v1.0/me/threads_publish", True, _publish),
        ("GET", "/v1.0/me/threads_publishing_limit", True, _limit),
        ("GET", "/v1.0/me/threads", True, _threads),
        ("GET", "/v1.0/me/replies", True, _replies),
        ("GET", r"/v1.0/(\d+)", True, _node),
        ("DELETE", r"/v1.0/(\d+)", True, _delete),
        *LOGIN_ROUTES,
    )


def _gone(node: str) -> Refusal:
    return Refusal(
        100, 33, f"Unsupported request. Object with ID '{node}' does not exist, cannot be loaded "
        "due to missing permissions, or does not support this operation."
    )  # fmt: skip
