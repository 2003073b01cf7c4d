"""The outbox as a platform: each post durably and once into a folder.

The file's name comes from the occurrence and the step's key alone, so a second try finds the
first one's file. The file is the post; feed and page are made from the files and never the cause
of a failed delivery.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import (
    FOREVER,
    Capabilities,
    CommentAs,
    Guarantee,
    MediaRules,
)
from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.picture import PictureRules
from postsched.domain.post import Visibility
from postsched.platforms.base import (
    Attachment,
    Login,
    Message,
    Platform,
    PlatformError,
    Prepared,
    Unknown,
)
from postsched.platforms.outbox.folder import Build, Folder

if TYPE_CHECKING:
    import httpx

SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "audio/mpeg": ".mp3",
}
"""The ending a media file gets by its type; others keep their own."""


class Outbox(Platform):
    """Posts as Markdown files in a folder, with an Atom feed and a page to look at."""

    name = "outbox"
    title = "Outbox"
    url = ""
    needs_secret = False
    login_hint = "none: it is a folder of yours"
    settings: ClassVar[Mapping[str, str]] = {"dir": "the folder, an absolute path"}

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Make the folder where there is none, and the pages, so that a fault shows here."""
        folder = _folder(login)
        await asyncio.to_thread(folder.make)
        await asyncio.to_thread(folder.refresh, _build(login, folder))
        return {"user": str(folder.root)}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """Everything, without limits that the file system doesn't set."""
        return Capabilities(
            media=MediaRules(
                count=20,
                alone=20,
                mixed=True,
                types={"*/*": None},
                from_url=True,
                picture=PictureRules(moving=frozenset({"image/*"})),
            ),
            guarantee=Guarantee(
                deduplicates=FOREVER, can_look_up=True, look_ups=(0.0,), prepares_alike=True
            ),
            thread=True,
            comment=CommentAs.REPLY,
            visibilities=frozenset(Visibility),
            warning=True,
            languages=True,
            link_card=True,
            card_beside_media=True,
            title=True,
            delete=True,
            notes=("Posts for followers and direct ones are on the page, but not in the feed.",),
        )

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Copy the media (named by their content, shown nowhere yet) and freeze the document."""
        folder = _folder(login)
        await asyncio.to_thread(folder.require)
        media = [await asyncio.to_thread(_keep, folder, one) for one in message.attachments]
        comment = message.role is Role.COMMENT
        fields = {
            "title": message.title,
            "date": _rfc3339(message.occurrence),
            "account": login.account,
            "key": message.key,
            "part": None if comment else message.n,
            "comment": comment or None,
            "link": message.link,
            "lang": message.lang,
            "warning": message.warning,
            "visibility": message.visibility.value if message.visibility else None,
            "tags": list(message.tags) or None,
            "media": media or None,
        }
        stem = f"{message.occurrence:%Y%m%dT%H%M%SZ}-{message.key[:12]}"
        return {"stem": stem, "fields": fields, "text": message.text}

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Place the file, and have the pages follow without waiting for them."""
        folder = _folder(login)
        await asyncio.to_thread(_add, folder, prepared, key)
        loop = asyncio.get_running_loop()
        # Not awaited: in a burst one rebuild serves many posts, and none of them waits for it.
        # The loop's end waits for its threads, so the last page is complete when we exit.
        loop.run_in_executor(None, _refresh_quietly, folder, _build(login, folder))
        return _published(prepared, login, folder)

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Look whether the file is there."""
        folder = _folder(login)
        if not await asyncio.to_thread(folder.root.is_dir):
            return Unknown(f"the outbox folder {folder.root} is gone")
        content = await asyncio.to_thread(folder.content, prepared.data["stem"])
        if content is None or _other_key(content, key):
            return None
        return _published(prepared, login, folder)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Remove the file and what the pages say of it; its media may serve others and stay."""
        from postsched.platforms.outbox.document import STEM

        folder = _folder(login)
        if not STEM.fullmatch(published.remote_id):
            raise PlatformError(ErrorKind.INVALID, f"{published.remote_id!r} is no outbox post")
        await asyncio.to_thread(folder.require)
        await asyncio.to_thread(folder.remove, published.remote_id)
        await asyncio.to_thread(_refresh_quietly, folder, _build(login, folder))


def _folder(login: Login) -> Folder:
    """The folder of an account. A relative one would depend on where a command was started."""
    setting = login.settings.get("dir", "")
    if not setting or "\0" in setting:
        raise PlatformError(
            ErrorKind.INVALID,
            f"the outbox account {login.account!r} has no folder",
            hint=f"postsched account set {login.account} dir=/PATH",
        )
    root = Path(setting)
    if not root.is_absolute():
        raise PlatformError(
            ErrorKind.INVALID,
            f"the folder {setting!r} of the outbox account {login.account!r} is no absolute path",
            hint=f"postsched account set {login.account} dir=/PATH",
        )
    return Folder(root)


def _keep(folder: Folder, attachment: Attachment) -> dict[str, str]:
    media = attachment.media
    if attachment.file is None:
        where = {"url": media.url or ""}
    else:
        where = {"file": folder.keep(attachment.file, _suffix(attachment))}
    known = where | {"alt": media.alt or "", "type": media.type or ""}
    return {name: value for name, value in known.items() if value}


def _suffix(attachment: Attachment) -> str:
    by_type = SUFFIXES.get(attachment.media.type or "")
    own = PurePath(attachment.media.path or attachment.file or "").suffix.lower()
    return by_type or (own if re.fullmatch(r"\.[a-z0-9]{1,8}", own) else "")


def _add(folder: Folder, prepared: Prepared, key: str) -> None:
    from postsched.platforms.outbox import document

    folder.require()
    fields = dict(prepared.data["fields"])
    if prepared.parent:
        fields["in_reply_to"] = prepared.parent.remote_id
    try:
        content = document.write(fields, prepared.data["text"])
    except UnicodeEncodeError:
        raise PlatformError(ErrorKind.INVALID, "the post's text is no valid Unicode") from None
    stem = prepared.data["stem"]
    if not folder.add(stem, content) and _other_key(folder.content(stem) or b"", key):
        raise PlatformError(ErrorKind.PERMANENT, f"another post has the file name {stem}.md")


def _other_key(content: bytes, key: str) -> bool:
    from postsched.platforms.outbox import document

    return document.key_of(content) not in (key, None)


def _published(prepared: Prepared, login: Login, folder: Folder) -> Published:
    stem = prepared.data["stem"]
    return Published(stem, f"{_page_url(login, folder)}#{stem}")


def _page_url(login: Login, folder: Folder) -> str:
    """Where the page is: the address it is served at, or the file."""
    if not login.url:
        return (folder.root / "index.html").as_uri()
    return login.url if login.url.endswith((".html", ".htm")) else login.url.rstrip("/") + "/"


def _build(login: Login, folder: Folder) -> Build:
    def build(root: Path) -> dict[str, bytes]:
        from postsched.platforms.outbox.feed import feed
        from postsched.platforms.outbox.page import page
        from postsched.platforms.outbox.thread import newest

        threads = newest(root / "posts", 200)
        url = _page_url(login, folder)
        return {"index.html": page(threads), "feed.xml": feed(threads[:50], url, root.as_uri())}

    return build


def _refresh_quietly(folder: Folder, build: Build) -> None:
    """Rebuild the pages; where that fails, the folder is left marked for the next time, and
    `account check` tells the reason."""
    with suppress(Exception):  # the post is out; no page may make that a failure
        folder.refresh(build)


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
