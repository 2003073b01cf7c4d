"""The secret of a Discord account: the address of a webhook, the token of a bot, or both.

The address says where requests go, so it is believed only if it is Discord's, or at the server that
the account names by its URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError

SERVICE = "https://discord.com/api/v10"
VERSION = "/api/v10"
HOSTS = frozenset({"discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"})
WEBHOOK = re.compile(
    r"(?P<origin>https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?)"
    r"(?P<prefix>(?:/[a-z0-9_-]+)*)"
    r"/webhooks/(?P<id>[0-9]{1,20})/(?P<token>[a-z0-9_-]+)/?(?:\?wait=true)?",
    re.I | re.A,
)
BOT_TOKEN = re.compile(r"[A-Za-z0-9._-]+", re.A)
SNOWFLAKE = re.compile(r"[0-9]{1,20}", re.A)


@dataclass(frozen=True, slots=True)
class Access:
    """Where an account's requests go. `webhook` is the webhook's address and `webhook_id` its
    number, None where there is only a bot; `bot` is the bot's token, None where there is none;
    `base` is where the bot's calls go."""

    webhook: str | None = field(repr=False)
    webhook_id: str | None
    bot: str | None = field(repr=False)
    base: str
    secrets: tuple[str, ...] = field(repr=False)
    """What must be seen nowhere."""

    def scrub(self, text: str) -> str:
        """A server's words without the secrets, in case it repeats them."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def access(login: Login) -> Access:
    """What the account's secret gives access to. Raises PlatformError(AUTH) for one that can't be
    used; nothing was sent then."""
    value: Any = login.secret.reveal() if login.secret else ""
    given = value if isinstance(value, dict) else {"webhook_url": value}
    address, bot = given.get("webhook_url") or None, given.get("bot_token") or None
    if bot is not None and not (isinstance(bot, str) and BOT_TOKEN.fullmatch(bot)):
        raise _unusable(login, "the secret's bot_token is no token of a bot")
    if address is None and bot is not None:
        return Access(None, None, bot, _base(login, None), (bot,))
    match = WEBHOOK.fullmatch(address) if isinstance(address, str) else None
    if match is None:
        raise _unusable(login, "the secret is no address of a webhook")
    server = _server(login, match)
    webhook = f"{server}/webhooks/{match['id']}/{match['token']}"
    secrets = (match["token"], *([bot] if bot else []))
    return Access(webhook, match["id"], bot, _base(login, match), secrets)


def _server(login: Login, match: re.Match[str]) -> str:
    """Where the webhook's calls go: the account's own server, if it has one, else Discord's."""
    at_discord = _is_discord(match["origin"])
    if not at_discord and _origin(match["origin"]) != _origin(login.url):
        raise _unusable(login, "the address in the secret is not Discord's")
    if _is_discord(login.url):
        return _base(login, None)
    if at_discord:
        return login.url if urlsplit(login.url).path else f"{login.url}{match['prefix']}"
    return f"{match['origin']}{match['prefix']}"


def _base(login: Login, match: re.Match[str] | None) -> str:
    """Where the API is: the account's URL, and the path to it if that has none."""
    if urlsplit(login.url).path:
        return login.url
    if match is None or _is_discord(login.url) or match["prefix"].endswith("/api"):
        return f"{login.url}{VERSION}"
    return f"{login.url}{match['prefix']}"


def _is_discord(url: str) -> bool:
    return _origin(url) in {("https", host, 443) for host in HOSTS}


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port or {"https": 443, "http": 80}.get(parts.scheme)


def channel_of(login: Login) -> str:
    """The channel a bot posts to; raises PlatformError(INVALID) where it is not said."""
    channel = (login.user or "").strip()
    if SNOWFLAKE.fullmatch(channel):
        return channel
    raise PlatformError(
        ErrorKind.INVALID,
        f"the account {login.account} does not say to which channel its bot posts",
        hint=f"Give the channel's number: postsched account set {login.account} user=NUMBER",
    )


def _unusable(login: Login, words: str) -> PlatformError:
    return PlatformError(
        ErrorKind.AUTH,
        words,
        hint="Copy the webhook's URL in Discord (Server Settings, Integrations, Webhooks): "
        f"postsched account set {login.account} --token-stdin",
    )
