"""The networks of the matrix: a server with its login, a post that uses what the network has, and
what of it must be out in the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen

ONE, TWO, COMMENT, ALT = "One, the first", "Two, the second", "Three, the comment", "a square"
PICTURE = "https://media.example/square.jpg"
"""For networks that fetch it themselves."""


@dataclass(frozen=True)
class Stand:
    """One of them. `server` makes the server (None: the outbox), `login` gives its login. `texts`
    are the parts of the post, then its comment if it has one; `by_url`: the picture is named by
    its address; `comments` reads those that are no posts. `repeats`: a second request of the same
    adds nothing and its answer tells what is out, so that a proxy that sends each one twice does
    no harm of its own."""

    name: str
    platform: str
    server: Callable[..., Loopback] | None
    login: Callable[[Any], Login] = lambda server: server.login()
    thread: bool = True
    comment: bool = True
    by_url: bool = False
    alts: bool = True
    comments: Callable[[Any], Sequence[Seen]] = lambda server: ()
    repeats: bool = False

    def account(self, home: Path, login: Login | None) -> list[str]:
        """The words that add the account."""
        words = ["account", "add", "me", "--platform", self.platform]
        if login is None:
            return [*words, "--set", f"dir={home / 'outbox'}"]
        return [*words, "--url", login.url, *(["--user", login.user] if login.user else [])]

    def post(self, home: Path) -> list[str]:
        """The words that add the post."""
        words = ["add", ONE, "--to", "me"]
        words += ["--media", PICTURE if self.by_url else str(home / "square.png")]
        words += ["--alt", ALT] if self.alts else []
        words += ["--then", TWO] if self.thread else []
        return words + (["--comment", COMMENT] if self.comment else [])

    @property
    def texts(self) -> list[str]:
        """What must be out, once each, in the order of the steps."""
        return [ONE, *([TWO] if self.thread else []), *([COMMENT] if self.comment else [])]

    def out(self, server: Loopback | None, home: Path) -> list[Seen]:
        """What is out, by the network's own ledger."""
        if server is None:
            return _in_the_outbox(home / "outbox")
        return [*server.posts(), *self.comments(server)]


def secret_text(secret: Secret | None) -> str:
    """A secret as the environment has it."""
    value = secret.reveal() if secret is not None else ""
    return value if isinstance(value, str) else json.dumps(dict(value))


def _in_the_outbox(folder: Path) -> list[Seen]:
    from postsched.platforms.outbox.thread import newest

    if not (folder / "posts").is_dir():
        return []
    entries = [entry for thread in newest(folder / "posts", 1000) for entry in thread.entries]
    return [
        Seen(e.stem, e.text, e.in_reply_to, tuple(m.get("alt", "") for m in e.media), e.key)
        for e in entries
    ]


def _of_meta(server: Any) -> list[Seen]:
    return [Seen(number, text, on) for number, (on, text, _) in server.comments.items()]


def _of_linkedin(server: Any) -> list[Seen]:
    entries = [entry for entry in server.ledger if entry.get("parent")]
    return [Seen(entry["id"], entry["text"], entry["parent"]) for entry in entries]


def _stands() -> list[Stand]:
    from postsched.testing.bluesky import APP_PASSWORD, HANDLE, BlueskyServer
    from postsched.testing.discord import DiscordServer
    from postsched.testing.facebook import FacebookServer
    from postsched.testing.instagram import InstagramServer
    from postsched.testing.linkedin import LinkedInServer
    from postsched.testing.mastodon import MastodonServer
    from postsched.testing.telegram import TelegramServer
    from postsched.testing.threads import ThreadsServer
    from postsched.testing.x import XServer

    def gotosocial(**more: Any) -> Loopback:
        return MastodonServer(flavour="gotosocial", **more)

    def organization(**more: Any) -> Loopback:
        return LinkedInServer(page=True, **more)

    def person(**more: Any) -> Loopback:
        return LinkedInServer(reads_media=True, **more)

    def roomy(**more: Any) -> Loopback:  # a user of some minutes posts more than X's 100 in 15
        return XServer(quota=100_000, **more)

    def lenient(**more: Any) -> Loopback:
        return XServer(same_text="yes", **more)

    def private(**more: Any) -> Loopback:
        return TelegramServer(public="no", **more)

    def with_password(server: Loopback) -> Login:
        return Login("me", server.url, Secret(APP_PASSWORD), HANDLE)

    reader: Callable[[Any], Login] = lambda server: server.login_that_reads()  # noqa: E731
    bot: Callable[[Any], Login] = lambda server: server.login_of_bot()  # noqa: E731
    return [
        Stand("outbox", "outbox", None, repeats=True),
        Stand("mastodon", "mastodon", MastodonServer, repeats=True),
        Stand("gotosocial", "mastodon", gotosocial),
        Stand("bluesky", "bluesky", BlueskyServer, with_password, repeats=True),
        Stand("x", "x", roomy, repeats=True),
        Stand("x-lenient", "x", lenient),
        Stand("linkedin-person", "linkedin", person, thread=False, comments=_of_linkedin),
        Stand("linkedin-page", "linkedin", organization, thread=False, comments=_of_linkedin,
              repeats=True),
        Stand("telegram", "telegram", TelegramServer, comment=False, alts=False),
        Stand("telegram-private", "telegram", private, comment=False, alts=False),
        Stand("discord-webhook", "discord", DiscordServer, comment=False),
        Stand("discord-reader", "discord", DiscordServer, reader, comment=False),
        Stand("discord-bot", "discord", DiscordServer, bot, repeats=True, comment=False),
        Stand("threads", "threads", ThreadsServer, by_url=True, repeats=True),
        Stand("instagram", "instagram", InstagramServer, thread=False, by_url=True,
              comments=_of_meta, repeats=True),
        Stand("facebook", "facebook", FacebookServer, thread=False, comments=_of_meta,
              repeats=True),
    ]  # fmt: skip


STANDS = {stand.name: stand for stand in _stands()}
"""The networks by name; one that answers differently to two kinds of login stands twice."""
