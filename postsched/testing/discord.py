"""A strict Discord on loopback, from the fact sheet: one channel, a webhook and a bot.

Whatever the sheet says Discord refuses is refused, with its status and code; what a client must not
do (no User-Agent of the wanted form, no `allowed_mentions`, no `wait`) is too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.discord_state import (
    BOT,
    CHANNEL,
    GUILD,
    WEBHOOK,
    Message,
    Refusal,
    State,
    invalid,
)
from postsched.testing.loopback import PAGE, Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

WEBHOOK_TOKEN = "3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372ba29"  # noqa: S105 - of a server in tests
BOT_TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"  # noqa: S105 - the same
WINDOW = 2 * 10**9
"""The time for which the quota of messages is, in nanoseconds."""


class DiscordServer(Loopback):
    """See the module.

    `quota` messages are allowed in 2 seconds; `intent` is "no" for a bot that is not shown what
    messages of others say; `reads` is "no" for one that may not read the channel; `deleted` is
    "yes" for a webhook that is no more.
    """

    publishing: ClassVar[tuple[str, str]] = (
        "POST",
        r"/api(/v10)?/(webhooks/\d+/[^/]+|channels/\d+/messages)",
    )

    def __init__(
        self,
        *,
        quota: int | str = 1_000_000,
        intent: str = "yes",
        reads: str = "yes",
        deleted: str = "no",
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.state = State(self.clock)
        self.quota = int(quota)
        self.intent = intent
        self.reads = reads
        self.deleted = deleted
        self._window = (0, 0)

    @property
    def webhook_url(self) -> str:
        """The webhook's address, as Discord shows it to people."""
        return f"{self.url}/api/webhooks/{WEBHOOK}/{WEBHOOK_TOKEN}"

    def login(self, account: str = "me") -> Login:
        """A login by the webhook alone."""
        return Login(account, self.url, Secret(self.webhook_url))

    def login_that_reads(self, account: str = "me") -> Login:
        """A login by the webhook, with a bot that reads the channel."""
        secret = {"webhook_url": self.webhook_url, "bot_token": BOT_TOKEN}
        return Login(account, self.url, Secret(secret))

    def login_of_bot(self, account: str = "me") -> Login:
        """A login by the bot alone."""
        return Login(account, self.url, Secret({"bot_token": BOT_TOKEN}), CHANNEL)

    def posts(self) -> list[Seen]:
        """What is out, oldest first."""
        return [
            Seen(
                one.id, one.content, one.reply_to,
                tuple(str(file.get("description") or "") for file in one.attachments), one.nonce,
            )
            for one in self.state.messages.values()
        ]  # fmt: skip

    def answer(self, request: Request) -> Answer:
        """What Discord answers."""
        try:
            return self._route(request)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)

    def _route(self, request: Request) -> Answer:
        if not request.headers.get("user-agent", "").startswith("DiscordBot ("):
            return Answer(403, b"<html>error code: 1010")
        for method, path, act in ROUTES:
            match = re.fullmatch(f"/api(?:/v10)?{path}", request.path)
            if match and method == request.method:
                return act(self, request, *match.groups())
        return Answer(404, PAGE)

    # Who

    def _require_webhook(self, number: str, token: str) -> None:
        if number != WEBHOOK or self.deleted == "yes":
            raise Refusal(404, 10015, "Unknown Webhook")
        if token != WEBHOOK_TOKEN:
            raise Refusal(401, 50027, "Invalid Webhook Token")

    def _require_bot(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bot {BOT_TOKEN}":
            raise Refusal(401, 0, "401: Unauthorized")

    def _webhook(self, request: Request, number: str, token: str) -> Answer:
        self._require_webhook(number, token)
        shown = {"id": WEBHOOK, "type": 1, "name": "Captain Hook", "channel_id": CHANNEL}
        return Answer(200, {**shown, "guild_id": GUILD, "token": token, "url": self.webhook_url})

    def _me(self, request: Request) -> Answer:
        self._require_bot(request)
        return Answer(200, {"id": BOT, "username": "our-bot", "bot": True})

    def _channel(self, request: Request, channel: str) -> Answer:
        self._require_bot(request)
        self._require_channel(channel)
        return Answer(200, {"id": CHANNEL, "guild_id": GUILD, "name": "news", "type": 0})

    def _require_channel(self, channel: str) -> None:
        if channel != CHANNEL:
            raise Refusal(404, 10003, "Unknown Channel")

    # Messages

    def _execute(self, request: Request, number: str, token: str) -> Answer:
        self._require_webhook(number, token)
        unknown = set(request.query) - {"wait", "thread_id"}
        if unknown or request.query.get("wait") != "true":
            raise invalid("wait", "TEST", f"wait is not true, or there is more: {unknown}")
        body = _body(request, {"content", "allowed_mentions", "attachments"})
        message = Message("", self.clock(), by_webhook=True, thread=request.query.get("thread_id"))
        return self._create(request, message, body)

    def _create_by_bot(self, request: Request, channel: str) -> Answer:
        self._require_bot(request)
        self._require_channel(channel)
        known = {"content", "allowed_mentions", "attachments", "nonce", "enforce_nonce"}
        body = _body(request, known | {"message_reference"})
        reference = body.get("message_reference") or {}
        nonce = body.get("nonce")
        if nonce is not None and (len(nonce) > 25 or body.get("enforce_nonce") is not True):
            raise invalid("nonce", "TEST", "a nonce has 25 characters, and is to be enforced")
        if known_one := self.state.known(nonce):
            return Answer(200, self._json(known_one))
        reply_to = reference.get("message_id")
        if reply_to is not None and reply_to not in self.state.messages:
            raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        message = Message("", self.clock(), nonce=nonce, reply_to=reply_to)
        return self._create(request, message, body)

    def _create(self, request: Request, message: Message, body: Mapping[str, Any]) -> Answer:
        limits = self._count()
        if body.get("allowed_mentions") != {"parse": []}:
            raise invalid("allowed_mentions", "TEST", "this would notify people")
        uploads = _uploads(request)
        message = self.state.create(message, body, uploads)
        self.ledger.append(
            {
                "id": message.id, "at": message.at, "text": message.content,
                "parent": message.reply_to, "by_webhook": message.by_webhook,
                "thread": message.thread, "attachments": message.attachments,
            }
        )  # fmt: skip
        return replace(Answer(200, self._json(message)), headers=limits)

    def _count(self) -> dict[str, str]:
        now = self.clock()
        start, count = self._window
        if now - start >= WINDOW:
            start, count = now, 0
        self._window = (start, count + 1)
        if count >= self.quota:
            wait = (start + WINDOW - now) / 10**9
            body = {"message": "You are being rate limited.", "retry_after": wait, "global": False}
            raise Refusal(429, None, "", body)
        return {
            "X-RateLimit-Limit": str(self.quota),
            "X-RateLimit-Remaining": str(self.quota - count - 1),
            "X-RateLimit-Reset": f"{(start + WINDOW) / 10**9:.3f}",
            "X-RateLimit-Reset-After": f"{(start + WINDOW - now) / 10**9:.3f}",
            "X-RateLimit-Bucket": "abcd1234",
        }

    def _list(self, request: Request, channel: str) -> Answer:
        self._require_bot(request)
        self._require_channel(channel)
        if self.reads == "no":
            raise Refusal(403, 50001, "Missing Access")
        return Answer(200, [self._shown(one) for one in self.state.page(request.query)])

    def _shown(self, message: Message) -> dict[str, Any]:
        """A message as the bot sees it in the list."""
        shown = self._json(message)
        hidden = self.intent == "no" and message.by_webhook
        return {**shown, "content": "", "attachments": []} if hidden else shown

    def _delete_by_webhook(self, request: Request, number: str, token: str, message: str) -> Answer:
        self._require_webhook(number, token)
        self.state.delete(message)
        return Answer(204)

    def _delete_by_bot(self, request: Request, channel: str, message: str) -> Answer:
        self._require_bot(request)
        self._require_channel(channel)
        self.state.delete(message)
        return Answer(204)

    def _json(self, message: Message) -> dict[str, Any]:
        moment = datetime.fromtimestamp(message.at / 10**9, UTC)
        shown: dict[str, Any] = {
            "id": message.id,
            "channel_id": message.thread or CHANNEL,
            "content": message.content,
            "timestamp": moment.isoformat(timespec="microseconds"),
            "author": {"id": WEBHOOK if message.by_webhook else BOT},
            "attachments": message.attachments,
        }
        if message.by_webhook:
            shown["webhook_id"] = WEBHOOK
        if message.nonce:
            shown["nonce"] = message.nonce
        if message.reply_to:
            shown["message_reference"] = {"message_id": message.reply_to, "channel_id": CHANNEL}
        return shown


def _body(request: Request, known: set[str]) -> dict[str, Any]:
    kind = request.headers.get("content-type", "")
    try:
        if kind.startswith("multipart/form-data"):
            given = json.loads(request.form["payload_json"][1])
        else:
            given = request.json
    except (ValueError, KeyError):
        given = None
    if not isinstance(given, dict):
        raise Refusal(400, 50109, "The request body contains invalid JSON.")
    if set(given) - known:
        raise invalid("body", "TEST", f"unknown: {sorted(set(given) - known)}")
    return given


def _uploads(request: Request) -> dict[int, tuple[str, bytes]]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return {}
    found = {}
    for name, (file, content) in request.form.items():
        if match := re.fullmatch(r"files\[(\d+)\]", name):
            found[int(match[1])] = (file or "", content)
    return found


WEBHOOK_PATH = r"/webhooks/(\d+)/([^/]+)"
ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", WEBHOOK_PATH, DiscordServer._webhook),
    ("POST", WEBHOOK_PATH, DiscordServer._execute),
    ("DELETE", WEBHOOK_PATH + r"/messages/(\d+)", DiscordServer._delete_by_webhook),
    ("GET", "/users/@me", DiscordServer._me),
    ("GET", r"/channels/(\d+)", DiscordServer._channel),
    ("GET", r"/channels/(\d+)/messages", DiscordServer._list),
    ("POST", r"/channels/(\d+)/messages", DiscordServer._create_by_bot),
    ("DELETE", r"/channels/(\d+)/messages/(\d+)", DiscordServer._delete_by_bot),
)
"""Method, path below /api or /api/v10, and what answers it."""
