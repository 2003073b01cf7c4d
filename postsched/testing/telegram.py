"""A strict Telegram on loopback, from the fact sheet: one bot, its channel, and a private chat.

Whatever the sheet says the Bot API refuses is refused, with its status and words; what a client
must not send (unknown fields, a parse mode) is too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.telegram_state import (
    BOT,
    CHANNEL,
    CHANNEL_NAME,
    PRIVATE,
    Chat,
    File,
    Message,
    Refusal,
    State,
)
from postsched.testing.wire import Answer, Request

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105 - of a server in tests
BOT_NAME = "our_own_bot"
WINDOW = 60 * 10**9
"""The time for which the quota of messages is, in nanoseconds."""
COMMON = {"chat_id", "reply_parameters", "disable_notification"}
FILES = {
    "sendPhoto": "photo",
    "sendVideo": "video",
    "sendAnimation": "animation",
    "sendDocument": "document",
    "sendAudio": "audio",
}
"""Methods that send one file, and the field it is in."""


class TelegramServer(Loopback):
    """See the module.

    `right` is "no" for a bot that may not post, `member` what it is in the channel; `public` is
    "no" for a channel without a name; `protected` is "yes" for one whose messages can't be
    forwarded; `quota` messages are allowed in a minute; `moved_to` is the number that the chat has
    had since it became a supergroup.
    """

    publishing: ClassVar[tuple[str, str]] = ("POST", r"/bot[^/]+/send\w+")

    def __init__(
        self,
        *,
        right: str = "yes",
        member: str = "administrator",
        public: str = "yes",
        protected: str = "no",
        quota: int | str = 1_000_000,
        moved_to: int | str = 0,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.state = State(self.clock, CHANNEL_NAME if public == "yes" else None)
        self.right = right
        self.member = member
        self.protected = protected
        self.quota = int(quota)
        self.moved_to = int(moved_to)
        self._window = (0, 0)

    def login(self, account: str = "me") -> Login:
        """A login of the bot, for its channel."""
        user = f"@{CHANNEL_NAME}" if self.state.channel.username else str(CHANNEL)
        return Login(account, self.url, Secret(TOKEN), user)

    def posts(self) -> list[Seen]:
        """What is out in the channel, oldest first; an album is one post."""
        shown: list[Seen] = []
        for group in self.state.channel.groups():
            text = next((one.text for one in group if one.text), "")
            parent = group[0].reply_to
            shown.append(
                Seen(
                    str(group[0].id),
                    text,
                    None if parent is None else str(parent),
                    tuple("" for one in group if one.file),
                )
            )
        return shown

    def answer(self, request: Request) -> Answer:
        """What Telegram answers."""
        try:
            return Answer(200, {"ok": True, "result": self._route(request)})
        except Refusal as refusal:
            body = {
                "ok": False,
                "error_code": refusal.code,
                "description": refusal.description,
                **({"parameters": refusal.parameters} if refusal.parameters else {}),
            }
            return Answer(refusal.code, body)

    def _route(self, request: Request) -> Any:
        match = re.fullmatch(r"/bot([^/]+)/(\w+)", request.path)
        if match is None or ":" not in match[1]:
            raise Refusal(404, "Not Found")
        if match[1] != TOKEN:
            raise Refusal(401, "Unauthorized")
        method = match[2]
        if method in FILES or method in ("sendMessage", "sendMediaGroup"):
            return self._send(method, request)
        act = METHODS.get(method)
        if act is None:
            raise Refusal(404, "Not Found: method not found")
        return act(self, _fields(request))

    # Who and where

    def _me(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": BOT, "is_bot": True, "first_name": "Bot", "username": BOT_NAME}

    def _chat(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        chat = self._found_chat(fields, {"chat_id"})
        shown = self._chat_json(chat)
        if self.protected == "yes":
            shown["has_protected_content"] = True
        return shown

    def _chat_member(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        self._found_chat(fields, {"chat_id", "user_id"})
        if int(fields["user_id"]) != BOT:
            raise Refusal(400, "Bad Request: user not found")
        rights = {"can_post_messages": self.right == "yes", "can_delete_messages": True}
        shown = {"user": self._me({}), "status": self.member}
        return {**shown, **rights} if self.member == "administrator" else shown

    def _found_chat(self, fields: Mapping[str, Any], known: set[str]) -> Chat:
        _known(fields, known)
        if self.moved_to and str(fields.get("chat_id")) in (str(CHANNEL), f"@{CHANNEL_NAME}"):
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": self.moved_to},
            )
        if self.moved_to and str(fields.get("chat_id")) == str(self.moved_to):
            return self.state.channel
        return self.state.chat(fields.get("chat_id"))

    def _chat_json(self, chat: Chat) -> dict[str, Any]:
        if chat.id == PRIVATE:
            return {"id": PRIVATE, "type": "private", "first_name": "Me"}
        shown = {"id": self.moved_to or chat.id, "type": "channel", "title": "My channel"}
        return {**shown, "username": chat.username} if chat.username else shown

    # Messages

    def _send(self, method: str, request: Request) -> Any:
        fields, uploads = _fields(request), _uploads(request)
        own = {"text", "link_preview_options"} if method == "sendMessage" else {"caption"}
        own = {"media"} if method == "sendMediaGroup" else own | {FILES.get(method, "text")}
        chat = self._found_chat(fields, COMMON | own)
        if self.right != "yes" or self.member != "administrator":
            raise Refusal(403, "Forbidden: bot is not a member of the channel chat")
        self._count()
        reply_to = _reply_to(fields, chat)
        if method == "sendMediaGroup":
            made = self.state.album(chat, _json(fields.get("media")), uploads, reply_to)
        else:
            text = fields.get("text" if method == "sendMessage" else "caption", "")
            kind = FILES.get(method)
            file = File.of(kind, fields.get(kind), uploads.get(kind)) if kind else None
            if method == "sendMessage" and not text.strip():
                raise Refusal(400, "Bad Request: message text is empty")
            made = [self.state.send(chat, text, file, reply_to)]
        self._note(method, fields, made)
        shown = [self._message_json(chat, one) for one in made]
        return shown if method == "sendMediaGroup" else shown[0]

    def _note(self, method: str, fields: Mapping[str, Any], made: list[Message]) -> None:
        self.ledger.append(
            {
                "id": made[0].id, "at": made[0].at, "method": method, "text": made[0].text,
                "parent": made[0].reply_to, "ids": [one.id for one in made],
                "files": [one.file.kind for one in made if one.file],
                "preview": _json(fields.get("link_preview_options")),
            }
        )  # fmt: skip

    def _count(self) -> None:
        now = self.clock()
        start, count = self._window
        if now - start >= WINDOW:
            start, count = now, 0
        self._window = (start, count + 1)
        if count >= self.quota:
            left = (start + WINDOW - now) // 10**9
            raise Refusal(429, f"Too Many Requests: retry after {left}", {"retry_after": left})

    def _delete(self, fields: Mapping[str, Any]) -> bool:
        chat = self._found_chat(fields, {"chat_id", "message_id"})
        self.state.delete(chat, int(fields["message_id"]))
        return True

    def _forward(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        _known(fields, {"chat_id", "from_chat_id", "message_id", "disable_notification"})
        source = self.state.chat(fields["from_chat_id"])
        message = source.messages.get(int(fields["message_id"]))
        if message is None:
            raise Refusal(400, "Bad Request: message to forward not found")
        if self.protected == "yes" or message.service:
            raise Refusal(400, "Bad Request: message can't be forwarded")
        target = self.state.chat(fields["chat_id"])
        copy = self.state.send(target, message.text, message.file, None, forwarded=True)
        origin = {
            "type": "channel",
            "chat": self._chat_json(source),
            "message_id": message.id,
            "date": message.at // 10**9,
        }
        return {**self._message_json(target, copy), "forward_origin": origin}

    def _message_json(self, chat: Chat, message: Message) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "message_id": message.id,
            "chat": self._chat_json(chat),
            "date": message.at // 10**9,
        }
        if message.file is None:
            return {**shown, "text": message.text}
        shown[message.file.kind] = [{"file_id": "f"}] if message.file.kind == "photo" else {}
        return {**shown, "caption": message.text} if message.text else shown


def _fields(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        try:
            given = request.json
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise Refusal(400, "Bad Request: can't parse JSON object")
        return given
    if kind.startswith("multipart/form-data"):
        return {
            name: content.decode() for name, (file, content) in request.form.items() if file is None
        }
    return dict(request.query)


def _uploads(request: Request) -> dict[str, bytes]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return {}
    return {name: content for name, (file, content) in request.form.items() if file is not None}


def _known(fields: Mapping[str, Any], names: set[str]) -> None:
    unknown = set(fields) - names
    if unknown:
        raise Refusal(400, f"Bad Request: this method has no {sorted(unknown)}")


def _reply_to(fields: Mapping[str, Any], chat: Chat) -> int | None:
    given = _json(fields.get("reply_parameters"))
    if given is None:
        return None
    if set(given) != {"message_id"} or not isinstance(given["message_id"], int):
        raise Refusal(400, "Bad Request: can't parse reply parameters")
    if given["message_id"] not in chat.messages:
        raise Refusal(400, "Bad Request: message to be replied not found")
    return int(given["message_id"])


def _json(value: Any) -> Any:
    """A field that is an object: as it is in JSON, as a text in a form."""
    return json.loads(value) if isinstance(value, str) else value


METHODS: dict[str, Callable[[TelegramServer, Mapping[str, Any]], Any]] = {
    "getMe": TelegramServer._me,
    "getChat": TelegramServer._chat,
    "getChatMember": TelegramServer._chat_member,
    "deleteMessage": TelegramServer._delete,
    "forwardMessage": TelegramServer._forward,
}
