"""The containers of one post on Threads (fact sheet, sections 1, 3 and 4)."""

from __future__ import annotations

from postsched.domain.delivery import Role
from postsched.domain.fitting import with_link
from postsched.domain.outcome import ErrorKind
from postsched.domain.post import Visibility
from postsched.platforms.base import Attachment, Message, PlatformError
from postsched.platforms.graph.adapter import is_film
from postsched.platforms.graph.api import Graph, node
from postsched.platforms.graph.containers import State, create, usable, wait, wait_for_all
from postsched.platforms.graph.lookup import Dialect
from postsched.platforms.threads.ability import MEDIA_COUNT

CONTAINERS = "me/threads"
DIALECT = Dialect(
    publish="me/threads_publish",
    posts="me/threads",
    replies="me/replies",
    hopeless=("INVALID", "FAILED_DOWNLOADING"),
)


async def build(message: Message, graph: Graph) -> tuple[str, State]:
    """Make the container of a post, and wait for it; its id, and how far it is.

    Raises PlatformError if it can't become a post.
    """
    form = {**_reply(message), **_text(message)}
    shown = [_medium(one) for one in message.attachments]
    if len(shown) == 1:
        form |= shown[0]
    elif shown:
        children = [
            await create(graph, CONTAINERS, {**one, "is_carousel_item": "true"}) for one in shown
        ]
        for found in await wait_for_all(graph, children, DIALECT.state):
            _usable(found)
        form |= {"media_type": "CAROUSEL", "children": ",".join(children)}
    else:
        form |= {"media_type": "TEXT"} | ({"link_attachment": message.link} if message.link else {})
    container = await create(graph, CONTAINERS, form)
    return container, await _finished(graph, container)


def text_of(message: Message) -> str:
    """The text as it is sent: beside media there is no link card."""
    return with_link(message.text, message.link) if message.attachments else message.text


def reply_to(message: Message) -> str | None:
    """The id of what it replies to: a part the one before it, a comment the first. Raises
    PlatformError(INVALID) where that is not known."""
    if message.role is Role.PART and message.n == 1:
        return None
    above = message.root if message.role is Role.COMMENT else message.parent
    if above is None or not above.remote_id:
        raise PlatformError(
            ErrorKind.INVALID, "it replies to a post of which the id is not known",
            hint="Look at the account; the rest can be posted there",
        )  # fmt: skip
    return node(above.remote_id)


def require_possible(message: Message) -> None:
    """Raise PlatformError(INVALID) for what Threads can't do."""
    problem = None
    if message.visibility not in (None, Visibility.PUBLIC):
        problem = f"Threads has no posts that are {message.visibility}"
    elif message.warning:
        problem = "Threads has no content warnings"
    elif len(message.attachments) > MEDIA_COUNT:
        problem = f"a post on Threads has {MEDIA_COUNT} images and films at the most"
    elif any(one.media.url is None for one in message.attachments):
        problem = (
            "Threads fetches media itself: give a public address instead of a file, or name "
            "a place to put files under [media_host]"
        )
    if problem:
        raise PlatformError(ErrorKind.INVALID, problem)


def _reply(message: Message) -> dict[str, str]:
    parent = reply_to(message)
    return {"reply_to_id": parent} if parent else {}


def _text(message: Message) -> dict[str, str]:
    text = text_of(message)
    return {"text": text} if text else {}


def _medium(attachment: Attachment) -> dict[str, str]:
    medium = attachment.media
    url = medium.url or ""
    kind = "video" if is_film(attachment) else "image"
    form = {"media_type": kind.upper(), f"{kind}_url": url}
    return {**form, "alt_text": medium.alt} if medium.alt else form


async def _finished(graph: Graph, container: str) -> State:
    return _usable(await wait(graph, container, DIALECT.state))


def _usable(found: State) -> State:
    return usable(found, hopeless=found.reason.startswith(DIALECT.hopeless))
