"""Making a container visible, and what an answer to that leaves open (fact sheets, section 6).

No error of this one request proves that nothing went out: errors have been seen for posts that
were. So what was refused is settled by the state of the container.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import PlatformError, Prepared, Unknown
from postsched.platforms.graph import lookup
from postsched.platforms.graph.api import Graph, id_in
from postsched.platforms.graph.containers import State, Status, state, usable
from postsched.platforms.graph.lookup import Dialect
from postsched.platforms.graph.quota import left_after, used_up
from postsched.platforms.graph.refusals import Refusal, is_refusal

LOOKS = (0.0, 3.0, 5.0)
"""Seconds before each look at a container that was not finished when it was prepared."""
STILL_AT_WORK = 30.0
"""Seconds until the next try where the network is still at work on the media."""
VISIBLE_AFTER = timedelta(minutes=2)
"""What is not found for so long is made anew."""


async def publish(graph: Graph, dialect: Dialect, prepared: Prepared) -> Published:
    """Publish the container."""
    container = str(prepared.data["container"])
    if not prepared.data.get("ready"):
        await _require_finished(graph, dialect, container)
    response = await graph.post(dialect.publish, {"creation_id": container})
    if is_refusal(response):
        found = await _settled(graph, dialect, graph.read(response), prepared)
        return replace(found, limits=left_after(prepared))
    remote_id = id_in(response, graph.object(response))
    link = await lookup.permalink(graph, remote_id)
    return Published(remote_id, link, limits=left_after(prepared))


async def find(
    graph: Graph, dialect: Dialect, prepared: Prepared, since: datetime
) -> Published | Unknown | None:
    """Whether it is out, by the container's state; where that has none, by the account's posts."""
    if prepared.anew:
        return await _among_posts(graph, dialect, prepared, since)
    found = await state(graph, str(prepared.data["container"]), dialect.state)
    match found.status:
        case Status.PUBLISHED:
            return await lookup.adopt(graph, dialect, prepared, since)
        case Status.FINISHED:
            return None
        case Status.IN_PROGRESS:
            return Unknown("the network is still at work on it")
        case Status.UNSEEN:
            return Unknown(f"the network does not show its container: {found.reason}")
    return await _among_posts(graph, dialect, prepared, since)


async def _among_posts(
    graph: Graph, dialect: Dialect, prepared: Prepared, since: datetime
) -> Published | Unknown | None:
    rows = await lookup.candidates(graph, dialect, prepared, since)
    if rows is None or len(rows) > 1:
        return Unknown("the account has several posts that could be it")
    if rows and prepared.anew and not str(prepared.data.get("text") or "").strip():
        return Unknown("the account has a post without words too, and it could be that")
    return lookup.of(rows[0]) if rows else None


async def _require_finished(graph: Graph, dialect: Dialect, container: str) -> None:
    """Raise PlatformError unless the container is finished by now; nothing is sent by this."""
    import httpx

    try:
        for pause in LOOKS:
            await asyncio.sleep(pause)
            found = await state(graph, container, dialect.state)
            if found.status in (Status.FINISHED, Status.PUBLISHED):
                return
            _of_use(dialect, found)
    except httpx.HTTPError as error:
        raise PlatformError(
            ErrorKind.TRANSIENT, f"its container can't be read: {type(error).__name__}"
        ) from None
    raise PlatformError(
        ErrorKind.TRANSIENT, "the network is still at work on its media", after=STILL_AT_WORK
    )


async def _settled(
    graph: Graph, dialect: Dialect, refusal: Refusal, prepared: Prepared
) -> Published:
    """What a refused request comes to: the post, if it is out all the same, else an error."""
    import httpx

    error = refusal.error()
    if refusal.is_quota:
        raise used_up(error, prepared)
    if refusal.is_login or refusal.is_rate:
        raise error
    if refusal.status >= 500:
        raise _open(refusal)
    try:
        found = await state(graph, str(prepared.data["container"]), dialect.state)
        if found.status is Status.PUBLISHED:
            return await _adopted(graph, dialect, refusal, prepared)
        if found.status is Status.ERROR and (rows := await _alike(graph, dialect, prepared)):
            return lookup.of(rows[0])
    except (PlatformError, httpx.HTTPError):
        raise _open(refusal) from None
    raise _judged(dialect, refusal, error, found, prepared)


def _judged(
    dialect: Dialect, refusal: Refusal, error: PlatformError, found: State, prepared: Prepared
) -> PlatformError:
    """What to raise for a refusal, by what its container is like now."""
    try:
        if found.status in (Status.EXPIRED, Status.ERROR):
            _of_use(dialect, found)
    except PlatformError as of_no_use:
        return of_no_use
    if refusal.is_too_young:
        return _again(refusal) if _age(prepared) > VISIBLE_AFTER else error
    definite = not (refusal.is_open or refusal.is_permission or error.prepare_again)
    return error if definite and found.status is Status.FINISHED else _open(refusal)


async def _adopted(
    graph: Graph, dialect: Dialect, refusal: Refusal, prepared: Prepared
) -> Published:
    found = await lookup.adopt(graph, dialect, prepared, _made_at(prepared))
    if isinstance(found, Unknown):
        raise _open(refusal)
    return found


async def _alike(graph: Graph, dialect: Dialect, prepared: Prepared) -> list[lookup.Row]:
    rows = await lookup.candidates(graph, dialect, prepared, _made_at(prepared))
    return rows if rows is not None and len(rows) == 1 else []


def _of_use(dialect: Dialect, found: State) -> None:
    """Raise PlatformError for a container that can't be published any more."""
    if found.status is not Status.UNSEEN:
        usable(found, hopeless=found.reason.startswith(dialect.hopeless))


def _open(refusal: Refusal) -> PlatformError:
    """The refusal, as one that may be of a post that is out."""
    error = refusal.error().problem
    final = refusal.is_permission or error.kind is ErrorKind.PERMANENT
    kind = ErrorKind.PERMANENT if final else ErrorKind.TRANSIENT
    return PlatformError(
        kind, error.message, http_status=refusal.status, hint=error.hint, sent=True
    )


def _again(refusal: Refusal) -> PlatformError:
    return PlatformError(
        ErrorKind.TRANSIENT, refusal.words, http_status=refusal.status, prepare_again=True
    )


def _made_at(prepared: Prepared) -> datetime:
    return datetime.fromisoformat(str(prepared.data["made_at"])).astimezone(UTC)


def _age(prepared: Prepared) -> timedelta:
    """How long ago the container was made."""
    return timedelta(0) if prepared.now is None else prepared.now - _made_at(prepared)
