"""A platform without a network, whose answers a test writes beforehand.

Unless told otherwise it works, remembers keys and can be asked. `will` queues what the next calls
of a step come to; `calls` tells what was called, `posts` what is out.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import (
    Capabilities,
    CommentAs,
    Guarantee,
    MediaRules,
    TextRules,
)
from postsched.domain.fitting import with_link
from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import (
    Login,
    Message,
    Platform,
    PlatformError,
    Prepared,
    Renewal,
    Unknown,
)
from postsched.testing.network import Seen

if TYPE_CHECKING:
    import httpx

ABLE = Capabilities(
    text=TextRules(limit=100),
    media=MediaRules(count=4, types={"image/png": 1_000_000}),
    guarantee=Guarantee(timedelta(minutes=50), can_look_up=True),
    thread=True,
    comment=CommentAs.REPLY,
    delete=True,
)
"""What a FakePlatform can do unless a test says otherwise."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a step: `verb` is the method's name; `at` is when it began, if there is a
    clock."""

    verb: str
    login: Login
    key: str | None = None
    message: Message | None = None
    prepared: Prepared | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """For `will("publish", …)`: it is out, and then the error is raised (None: the post is out and
    the call never returns)."""

    error: Exception | None


@dataclass(frozen=True, slots=True)
class Held:
    """For `will`: wait for the event, then do what the call does by itself."""

    event: asyncio.Event = field(default_factory=asyncio.Event)


class FakePlatform(Platform):
    """See the module. One object stands for the whole network, whichever account calls."""

    name: ClassVar[str] = "fake"
    title: ClassVar[str] = "Fake"
    url: ClassVar[str | None] = "http://127.0.0.1:1"
    needs_secret: ClassVar[bool] = False

    def __init__(
        self, able: Capabilities = ABLE, now: Callable[[], datetime] | None = None
    ) -> None:
        self.able = able
        self.calls: list[Call] = []
        self.posts: list[Seen] = []
        self._count = 0
        self._now = now
        self._script: defaultdict[str, deque[Any]] = defaultdict(deque)

    def will(self, verb: str, *answers: Any) -> None:
        """Let the next calls of that step come to these: an exception is raised, a function is
        called with the Call (and awaited), Held and LostAnswer see there, all else is returned."""
        self._script[verb].extend(answers)

    def forget(self) -> None:
        """What was written beforehand and has not come to pass will not."""
        self._script.clear()

    def called(self, verb: str) -> list[Call]:
        """The calls of one step, oldest first."""
        return [call for call in self.calls if call.verb == verb]

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        return self.able

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        done: dict[str, Any] = await self._play(
            Call("inspect", login), lambda: {"user": login.account}
        )
        return done

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        alts = [one.media.alt or "" for one in message.attachments]
        call = Call("prepare", login, message.key, message)
        text = with_link(message.text, message.link)
        made: dict[str, Any] = await self._play(call, lambda: {"text": text, "alts": alts})
        return made

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        call = Call("publish", login, key, prepared=prepared)
        out: Published = await self._play(call, lambda: self._put(prepared, key))
        return out

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        call = Call("find", login, key, prepared=prepared)
        found: Published | Unknown | None = await self._play(call, lambda: self._get(key))
        return found

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        await self._play(Call("delete", login), lambda: self._remove(published))

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        renewed: Renewal | None = await self._play(Call("refresh", login), lambda: None)
        return renewed

    async def _play(self, call: Call, itself: Callable[[], Any]) -> Any:
        self.calls.append(replace(call, at=self._now() if self._now else None))
        queue = self._script[call.verb]
        if not queue:
            return itself()
        match queue.popleft():
            case Exception() as error:
                raise error
            case Held(event):
                await event.wait()
                return itself()
            case LostAnswer(error):
                itself()
                if error is not None:
                    raise error
                return await asyncio.Event().wait()
            case answer if callable(answer):
                result = answer(call)
                return await result if isawaitable(result) else result
            case answer:
                return answer

    def _put(self, prepared: Prepared, key: str) -> Published:
        known = self._get(key)
        if known and self.able.guarantee.deduplicates:
            return known
        parent = prepared.parent.remote_id if prepared.parent else None
        if parent and parent not in {post.remote_id for post in self.posts}:
            raise PlatformError(
                ErrorKind.INVALID, "the post it replies to is gone", http_status=404
            )
        text, alts = prepared.data["text"], tuple(prepared.data["alts"])
        self._count += 1
        self.posts.append(Seen(str(self._count), text, parent, alts, key))
        return _published(self.posts[-1])

    def _get(self, key: str) -> Published | None:
        return next((_published(post) for post in self.posts if post.key == key), None)

    def _remove(self, published: Published) -> None:
        self.posts = [post for post in self.posts if post.remote_id != published.remote_id]


def _published(post: Seen) -> Published:
    return Published(post.remote_id, f"http://127.0.0.1:1/{post.remote_id}")
