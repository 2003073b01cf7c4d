"""The secret is an address: it is believed only where it is Discord's or the account's server's."""

from __future__ import annotations

from typing import Any

import pytest

from postsched.domain.outcome import ErrorKind, LetGo
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.discord.access import SERVICE, access
from postsched.testing.discord import DiscordServer
from postsched.testing.sender import message
from tests.platforms.discord.playing import play

HOOK = "webhooks/123/to-K_en"
OFFICIAL = f"https://discord.com/api/{HOOK}"


def login(secret: Any, url: str = SERVICE, user: str | None = None) -> Login:
    return Login("dc", url, Secret(secret), user)


@pytest.mark.parametrize(
    "given",
    [
        OFFICIAL,
        f"https://discord.com/api/v9/{HOOK}/",
        f"https://discordapp.com/api/{HOOK}?wait=true",
        f"https://ptb.discord.com/api/{HOOK}",
        f"https://canary.discord.com:443/api/{HOOK}",
        {"webhook_url": OFFICIAL, "bot_token": "a.b-c"},
    ],
)
def test_discords_own_addresses_are_called_by_the_version_we_know(given: Any) -> None:
    found = access(login(given))
    assert found.webhook == f"https://discord.com/api/v10/{HOOK}"
    assert (found.webhook_id, found.base) == ("123", SERVICE)
    assert "to-K_en" not in repr(found)
    assert "a.b-c" not in repr(found)


@pytest.mark.parametrize(
    ("given", "url", "webhook", "base"),
    [
        (f"http://127.0.0.1:8/api/{HOOK}", "http://127.0.0.1:8",
         f"http://127.0.0.1:8/api/{HOOK}", "http://127.0.0.1:8/api/v10"),
        (f"http://127.0.0.1:8/api/v10/{HOOK}", "http://127.0.0.1:8",
         f"http://127.0.0.1:8/api/v10/{HOOK}", "http://127.0.0.1:8/api/v10"),
        (f"http://127.0.0.1:8/{HOOK}", "http://127.0.0.1:8",
         f"http://127.0.0.1:8/{HOOK}", "http://127.0.0.1:8"),
        (f"http://127.0.0.1:8/{HOOK}", "http://127.0.0.1:8/api/v10",
         f"http://127.0.0.1:8/{HOOK}", "http://127.0.0.1:8/api/v10"),
        (f"https://[::1]/api/{HOOK}", "https://[::1]:443",
         f"https://[::1]/api/{HOOK}", "https://[::1]:443/api/v10"),
        (OFFICIAL, "http://127.0.0.1:8", f"http://127.0.0.1:8/api/{HOOK}",
         "http://127.0.0.1:8/api/v10"),
        (OFFICIAL, "http://127.0.0.1:8/x", f"http://127.0.0.1:8/x/{HOOK}", "http://127.0.0.1:8/x"),
        (OFFICIAL, "https://discord.com", f"https://discord.com/api/v10/{HOOK}",
         "https://discord.com/api/v10"),
    ],
)  # fmt: skip
def test_an_account_may_have_a_server_of_its_own(
    given: str, url: str, webhook: str, base: str
) -> None:
    found = access(login({"webhook_url": given, "bot_token": "a.b"}, url))
    assert (found.webhook, found.base) == (webhook, base)


BAD = [
    "", "token", "https://evil.example/api/webhooks/123/tok", f"http://discord.com/api/{HOOK}",
    f"https://discord.com@evil.example/api/{HOOK}", f"https://discord.com.evil.example/api/{HOOK}",
    f"https://evil.example/discord.com/api/{HOOK}", f"https://discord.com:8443/api/{HOOK}",
    f"https://discord.com\\@evil.example/api/{HOOK}", f"{OFFICIAL}/../x", f"{OFFICIAL}?a=b",
    f"{OFFICIAL}#a", f"{OFFICIAL}\n", f" {OFFICIAL}", "https://discord.com/api/webhooks/x/tok",
    "https://discord.com/api/webhooks/123/", "https://discord.com/api/webhooks/123/t%2Fk",
    f"https://discord.com/../api/{HOOK}", f"https://discord.com:99999/api/{HOOK}",
    f"https://dıscord.com/api/{HOOK}", f"ftp://discord.com/api/{HOOK}",
    f"http://127.0.0.1:9/api/{HOOK}", f"http://localhost:8/api/{HOOK}",
    {"webhook_url": 5}, {"webhook_url": OFFICIAL, "bot_token": "two words"}, {"bot_token": 7}, {},
    {"access_token": OFFICIAL},
]  # fmt: skip


@pytest.mark.parametrize("given", BAD)
@pytest.mark.parametrize("url", [SERVICE, "http://127.0.0.1:8"])
def test_any_other_address_is_not_believed(given: Any, url: str) -> None:
    with pytest.raises(PlatformError) as caught:
        access(login(given, url))
    assert caught.value.problem.kind is ErrorKind.AUTH
    assert "to-K_en" not in repr(caught.value.problem)
    assert "evil" not in repr(caught.value.problem)


def test_nothing_is_sent_to_another_server() -> None:
    with DiscordServer() as server, DiscordServer() as other:
        named = Login("dc", server.url, Secret(other.webhook_url))
        sent = play(named, lambda s: s.send(message("Hello")), inspect=False)
        assert not server.requests
        assert not other.requests
    assert isinstance(sent, LetGo)


def test_a_bot_alone_needs_its_channel() -> None:
    with DiscordServer() as server, pytest.raises(PlatformError, match="which channel"):
        play(login({"bot_token": "a.b"}, server.url, "news"), lambda s: s.inspect(), inspect=False)
