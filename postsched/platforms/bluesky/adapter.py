"""Bluesky as a platform, and with `--url` any server of the AT Protocol.

The record and its key are frozen by `prepare`; `publish` puts it where nothing is (putRecord with
`swapRecord: null`). The same record again is no change, another one is refused, so a post goes out
exactly once however often it is tried. Sources: lexicons app.bsky.feed.post, app.bsky.embed.*,
com.atproto.repo.*, and the reference PDS 0.5.35.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from postsched.domain.capabilities import (
    FOREVER,
    Capabilities,
    CommentAs,
    Guarantee,
    MediaRules,
    TextRules,
    Unit,
)
from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.picture import PictureRules
from postsched.domain.post import Visibility
from postsched.domain.quota import Counts, Quota
from postsched.platforms.base import (
    Login,
    Message,
    Platform,
    PlatformError,
    Prepared,
    Renewal,
    Unknown,
)
from postsched.platforms.bluesky import embeds, reading, record, richtext, session
from postsched.platforms.bluesky.xrpc import Xrpc, XrpcError, value_of
from postsched.platforms.judging import limits_of
from postsched.platforms.wording import Wording

if TYPE_CHECKING:
    import httpx

GRAPHEMES = 300
BYTES = 3000
IMAGES = 4
IMAGE_LIMIT = 2_000_000
"""Bytes of an image since the lexicon of 2026; servers that are older take `OLD_IMAGE_LIMIT`."""
OLD_IMAGE_LIMIT = 1_000_000
SHAPE = PictureRules(max_width=2000, max_height=2000, moving=frozenset())
"""The largest that is shown; what moves would stand still."""
ALT_LIMIT = 2000
"""Characters of an alt text; the lexicon sets none, the app does."""
QUOTAS = (
    Quota(5000 // 3, timedelta(hours=1), Counts.MESSAGES),
    Quota(35_000 // 3, timedelta(days=1), Counts.MESSAGES),
)
"""5,000 points an hour and 35,000 a day, and a record costs 3 (fact sheet, section 7)."""
NO_HANDLE = "handle.invalid"
"""What a server says where the handle's domain does not confirm it."""
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")


class Bluesky(Platform):
    """Posts as records in an account's repository."""

    name = "bluesky"
    title = "Bluesky"
    url: ClassVar[str | None] = session.ENTRYWAY
    login_hint = "an app password (Settings, Privacy and security, App passwords)"
    secret_settings: ClassVar[frozenset[str]] = frozenset({"password", "app_password"})
    needs_user: ClassVar[str | None] = "the handle, such as me.bsky.social"

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask who the session belongs to; raises PlatformError(PERMANENT) if that account is
        closed."""
        response = await session.calls(login, http).query("com.atproto.server.getSession")
        body = response.json()
        if body.get("active") is False:
            status = body.get("status") or "not active"
            raise PlatformError(ErrorKind.PERMANENT, f"{body['handle']} is {status}")
        return {"user": body["handle"], "did": body["did"], "pds": session.server_of(login)}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """The limits are those of the lexicon, the same for every account."""
        largest = IMAGE_LIMIT if facts else OLD_IMAGE_LIMIT
        return Capabilities(
            text=TextRules(limit=GRAPHEMES, unit=Unit.GRAPHEMES, byte_limit=BYTES),
            media=MediaRules(
                count=IMAGES,
                alone=0,
                types=dict.fromkeys(IMAGE_TYPES, largest),
                alt_limit=ALT_LIMIT,
                picture=SHAPE,
            ),
            guarantee=Guarantee(deduplicates=FOREVER, can_look_up=True, look_ups=(1.0,)),
            thread=True,
            comment=CommentAs.REPLY,
            visibilities=frozenset({Visibility.PUBLIC}),
            warning=True,
            warnings=record.LABELS,
            languages=True,
            link_card=True,
            delete=True,
            prepares_link=True,
            quotas=QUOTAS,
            notes=(
                "A post shows its images or a link card: beside images, the link is in the text.",
            ),
        )

    def wording(self, message: Message, facts: Mapping[str, Any]) -> Wording:
        """The text, what its facets mark, and its link card."""
        return reading.wording(message)

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Upload the pictures, look up who is mentioned and what is linked, freeze the record."""
        _require_possible(message)
        calls, repo = session.calls(login, http), session.did_of(login)
        text = reading.text_of(message)
        notes: list[str] = []
        dids = await _dids(richtext.mentioned(text), calls, notes)
        embed = await embeds.embed(message, calls, notes)
        made = record.post(message, text, richtext.facets(text, dids), embed)
        data = {"repo": repo, "rkey": record.record_key(message), "record": made}
        return {**data, "notes": notes} if notes else data

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Put the record, but only where there is none."""
        calls = session.calls(login, http)
        address = _address(prepared)
        reply = await _reply(prepared, calls)
        body = {**address, "swapRecord": None, "record": {**prepared.data["record"], **reply}}
        try:
            response = await calls.procedure("com.atproto.repo.putRecord", body)
        except XrpcError as error:
            if error.name == "InvalidSwap":
                return await _adopt(prepared, login, calls)
            if error.name == "BlobNotFound":
                raise _blob_gone(error) from None
            raise
        return _published(response, prepared, login)

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | Unknown | None:
        """Read the record by its key."""
        return await _read(prepared, login, session.calls(login, http))

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the record; the server takes one that is gone for deleted."""
        address = _parts(published.remote_id)
        await session.calls(login, http).procedure("com.atproto.repo.deleteRecord", address)

    def stale(self, login: Login, now: datetime) -> bool:
        """Whether there is no session, or one that ends within five minutes."""
        return session.stale(login, now)

    async def refresh(
        self, login: Login, http: httpx.AsyncClient, now: datetime, *, refused: bool
    ) -> Renewal | None:
        """A living session in place of none, or of one that ends."""
        return await session.renew(login, http, now, refused=refused)


async def _adopt(prepared: Prepared, login: Login, calls: Xrpc) -> Published:
    """There is a record under the key already: ours, from a try whose answer was lost, or one
    of another who was as fast."""
    found = await _read(prepared, login, calls)
    if found:
        return found
    rkey = prepared.data["rkey"]
    raise PlatformError(ErrorKind.PERMANENT, f"another post has the key {rkey}", http_status=400)


async def _read(prepared: Prepared, login: Login, calls: Xrpc) -> Published | None:
    """The record under the key, None if there is none or one that says something else."""
    try:
        response = await calls.query("com.atproto.repo.getRecord", **_address(prepared))
    except XrpcError as error:
        if error.name == "RecordNotFound":
            return None
        raise
    found, wanted = value_of(response, "value"), prepared.data["record"]
    return _published(response, prepared, login) if found["text"] == wanted["text"] else None


def _require_possible(message: Message) -> None:
    """Refuse what would otherwise be left out silently."""
    if message.visibility not in (None, Visibility.PUBLIC):
        raise PlatformError(ErrorKind.INVALID, "every Bluesky post is public")
    if message.warning and message.warning not in record.LABELS:
        raise PlatformError(
            ErrorKind.INVALID,
            f"Bluesky has no content warning {message.warning!r}",
            hint=f"it has {', '.join(sorted(record.LABELS))}",
        )
    if len(message.attachments) > IMAGES:
        raise PlatformError(ErrorKind.INVALID, f"a Bluesky post has at most {IMAGES} images")
    for attachment in message.attachments:
        if attachment.media.type not in IMAGE_TYPES:
            kind = attachment.media.type or "a file of unknown type"
            raise PlatformError(ErrorKind.INVALID, f"a Bluesky post can't carry {kind}")


async def _dids(handles: list[str], calls: Xrpc, notes: list[str]) -> dict[str, str]:
    """The DIDs of the handles that exist; the others are put into `notes`."""
    dids = {}
    for handle in handles:
        try:
            response = await calls.query("com.atproto.identity.resolveHandle", handle=handle)
        except PlatformError as error:
            # Not found is an answer; a server that is sick or refuses the login has not answered.
            if error.problem.kind is not ErrorKind.INVALID:
                raise
            notes.append(f"@{handle} is nobody on Bluesky: nobody is mentioned by it")
        else:
            dids[handle] = str(value_of(response, "did"))
    return dids


async def _reply(prepared: Prepared, calls: Xrpc) -> dict[str, Any]:
    """What the record replies to: nothing for the first part."""
    if prepared.role is Role.PART and prepared.n == 1:
        return {}
    if prepared.root is None or prepared.parent is None:
        raise PlatformError(ErrorKind.INVALID, "the part it replies to is not known")
    root = await _with_cid(prepared.root, calls)
    parent = root if prepared.parent == prepared.root else await _with_cid(prepared.parent, calls)
    return {"reply": record.reply_to(root, parent)}


async def _with_cid(published: Published, calls: Xrpc) -> Published:
    """A part with its content id; of one that a person has settled only the address is known."""
    if "cid" in published.data:
        return published
    try:
        response = await calls.query("com.atproto.repo.getRecord", **_parts(published.remote_id))
    except XrpcError as error:
        if error.name != "RecordNotFound":
            raise
        raise PlatformError(
            ErrorKind.PERMANENT, f"the post it replies to is gone: {published.remote_id}"
        ) from None
    return Published(published.remote_id, data={"cid": value_of(response, "cid")})


def _blob_gone(error: XrpcError) -> PlatformError:
    return PlatformError(
        ErrorKind.TRANSIENT,
        f"the server has dropped an uploaded picture: {error}",
        http_status=error.problem.http_status,
        prepare_again=True,
    )


def _address(prepared: Prepared) -> dict[str, str]:
    repo, rkey = prepared.data["repo"], prepared.data["rkey"]
    return {"repo": repo, "collection": record.COLLECTION, "rkey": rkey}


def _parts(uri: str) -> dict[str, str]:
    """Where a record is, from its at:// address (atproto.com/specs/at-uri-scheme)."""
    repo, _, path = uri.removeprefix("at://").partition("/")
    collection, _, rkey = path.partition("/")
    if not uri.startswith("at://") or not (repo and rkey) or collection != record.COLLECTION:
        raise PlatformError(
            ErrorKind.INVALID,
            f"{uri!r} is no Bluesky post",
            hint=f"it looks like at://did:plc:…/{record.COLLECTION}/…",
        )
    return {"repo": repo, "collection": collection, "rkey": rkey}


def _published(response: httpx.Response, prepared: Prepared, login: Login) -> Published:
    """The post an answer is about: the same for the one who put it and the one who found it."""
    repo, collection, rkey = _address(prepared).values()
    handle = login.facts.get("user")
    profile = handle if handle and handle != NO_HANDLE else repo
    return Published(
        f"at://{repo}/{collection}/{rkey}",
        f"https://bsky.app/profile/{profile}/post/{rkey}",
        {"cid": str(value_of(response, "cid"))},
        limits_of(response),
    )
