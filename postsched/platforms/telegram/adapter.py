"""Telegram as a platform: the Bot API, checked against version 10.1 (fact sheet).

`prepare` freezes the request; `publish` sends it, with its files, which Telegram takes no other
way. Telegram knows no keys and shows bots no history: unless a chat for probing is set, a lost
answer is a person's to settle.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import Capabilities, Guarantee, TextRules, Unit
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Visibility
from postsched.domain.quota import Counts, Quota
from postsched.platforms.base import (
    Login,
    Message,
    Platform,
    PlatformError,
    Prepared,
    Unknown,
)
from postsched.platforms.telegram import facts as known
from postsched.platforms.telegram import files, reading
from postsched.platforms.telegram.api import Api, chat_of
from postsched.platforms.telegram.messages import message_id, ours, published
from postsched.platforms.wording import Wording

if TYPE_CHECKING:
    import httpx

LIMIT = 4096
CAPTION = 1024
LOOK_UPS = (5.0, 30.0)
"""Seconds before each look, where there is a chat for probing."""


class Telegram(Platform):
    """Messages of a bot to one chat."""

    name = "telegram"
    title = "Telegram"
    url: ClassVar[str | None] = "https://api.telegram.org"
    login_hint: ClassVar[str] = (
        "the token of a bot, from @BotFather; the bot must be an administrator of the channel, "
        "with the right to post"
    )
    needs_user: ClassVar[str | None] = "the chat, such as @mychannel or -1001234567890"
    settings: ClassVar[Mapping[str, str]] = {
        "probe_chat": (
            "the number of a private chat with the bot, where it looks, by forwarding and deleting "
            "messages, whether a post is out whose answer was lost"
        ),
    }
    secret_settings: ClassVar[frozenset[str]] = frozenset({"token", "bot_token", "access_token"})

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask who the bot is, which chat that is, and whether the bot may post there."""
        return {**await known.read(Api(login, http), login), **self.stated(login.settings)}

    def stated(self, settings: Mapping[str, str]) -> dict[str, Any]:
        """Whether there is a chat for probing."""
        return {"can_probe": known.probe_chat(settings) is not None}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The limits of Telegram; what is out can be looked up only by the way of probing."""
        can_look_up = facts.get("can_probe") is True and facts.get("protected") is not True
        return Capabilities(
            text=TextRules(LIMIT, Unit.UTF16, caption_limit=CAPTION),
            media=files.RULES,
            guarantee=Guarantee(
                None, can_look_up=can_look_up, look_ups=LOOK_UPS, prepares_alike=True
            ),
            thread=True,
            visibilities=frozenset({Visibility.PUBLIC}),
            delete=True,
            # To one group or channel, by Telegram's FAQ; not tried.
            quotas=(Quota(20, timedelta(minutes=1), Counts.ITEMS),),
            notes=(
                "There is no alt text: it is left out.",
                f"Text beside media is a caption, of {CAPTION} UTF-16 units at the most.",
                "There are no first comments.",
                "A bot can delete what it posted for 48 hours, longer with the right to delete.",
            ),
        )

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The text with its link, and no markup."""
        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Freeze the request; nothing is asked or uploaded."""
        if message.visibility not in (None, Visibility.PUBLIC):
            raise PlatformError(ErrorKind.INVALID, "who may see it can't be chosen on Telegram")
        text = reading.text_of(message)
        described = [files.described(one) for one in message.attachments]
        if described:
            files.check_album(described)
            method, fields = files.message_of(described, text)
            return {"method": method, "fields": fields, "files": described, "text": text}
        fields = {"text": text}
        if message.link:
            fields["link_preview_options"] = {"url": message.link}
        return {"method": "sendMessage", "fields": fields, "files": [], "text": text}

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Send it, as a reply to the part before."""
        api = Api(login, http)
        fields = {"chat_id": chat_of(login), **prepared.data["fields"]}
        if prepared.n > 1:
            fields["reply_parameters"] = {"message_id": _parent(prepared)}
        contents = await files.contents(prepared.data["files"])
        answer = await api.call(prepared.data["method"], fields, contents)
        return published(answer, login.facts)

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Look for the message by forwarding what the chat has around it, where a chat for that is
        set; else nobody can tell."""
        chat = known.probe_chat(login.settings)
        if chat is None:
            return Unknown("Telegram does not tell what a bot has posted", final=True)
        from postsched.platforms.telegram import probe  # what only a lost answer needs

        return await probe.find(Api(login, http), login, chat, prepared, since)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the message, and all of an album."""
        api = Api(login, http)
        chat, ids = ours(published)
        for one in ids:
            await _delete(api, chat_of(login) if chat is None else chat, one)


async def _delete(api: Api, chat: int | str, one: int) -> None:
    try:
        await api.call("deleteMessage", {"chat_id": chat, "message_id": one})
    except PlatformError as error:
        words = error.problem.message.lower()
        if error.problem.http_status != 400:
            raise
        if "message" in words and "not found" in words:
            return
        if "can't be deleted" in words:
            raise PlatformError(
                ErrorKind.PERMANENT,
                error.problem.message,
                http_status=400,
                hint="A bot deletes for 48 hours, longer as an administrator who may delete",
            ) from None
        raise


def _parent(prepared: Prepared) -> int:
    """The message that a part replies to: the part before it."""
    if prepared.parent is None:
        raise PlatformError(ErrorKind.INVALID, "the part that it replies to is not known")
    return message_id(prepared.parent.remote_id)
