"""Containers: invisible drafts of a post, made ahead of time and published later.

The id of a container is what makes a post go out once: before it is published again, its state is
read (fact sheets, section 6). A container lives for a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.graph.api import Graph, id_in, node, unreadable
from postsched.platforms.graph.refusals import is_refusal

POLLS = (0.0, 1.0, 2.0, 3.0, 3.0) + (5.0,) * 20 + (10.0,) * 36
"""Seconds before each look at a container: eight minutes in all, within the time that preparing
may take."""
UNSEEN = 120.0
"""Seconds that a new container is given to be seen at all."""


class Status(StrEnum):
    """How far a container is. UNSEEN: the network does not show it, as it does with young ones."""

    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    PUBLISHED = "PUBLISHED"
    ERROR = "ERROR"
    EXPIRED = "EXPIRED"
    UNSEEN = "UNSEEN"


@dataclass(frozen=True, slots=True)
class State:
    """A container's status and, where it is of no use, the reason."""

    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """What the members are called that tell a container's state."""

    status: str = "status"
    reason: str = "error_message"


async def create(graph: Graph, path: str, form: Mapping[str, str]) -> str:
    """Make a container; its id. Nobody sees it, so it may be made again."""
    response = await graph.post(path, form)
    return id_in(response, graph.object(response))


async def state(graph: Graph, container: str, fields: Fields) -> State:
    """Ask for a container's state. Raises PlatformError for what can't be read."""
    response = await graph.get(node(container), fields=f"{fields.status},{fields.reason}")
    if is_refusal(response) and graph.read(response).is_unseen:
        return State(Status.UNSEEN, graph.read(response).words)
    said = graph.object(response)
    try:
        return State(Status(str(said.get(fields.status))), str(said.get(fields.reason) or ""))
    except ValueError:
        raise unreadable(response) from None


async def wait(graph: Graph, container: str, fields: Fields) -> State:
    """Look at a container until it is finished, or for as long as makes sense; its last state."""
    (found,) = await wait_for_all(graph, [container], fields)
    return found


async def wait_for_all(graph: Graph, containers: Sequence[str], fields: Fields) -> list[State]:
    """`wait` for several, in the time for one: the network is at work on them side by side. Each
    look goes to the first that is not finished, for calls are counted."""
    found: list[State] = []
    waited = 0.0
    for pause in POLLS:
        await asyncio.sleep(pause)
        waited += pause
        for container in containers[len(found) :]:
            one = await state(graph, container, fields)
            young = one.status is Status.UNSEEN and waited < UNSEEN
            if young or one.status is Status.IN_PROGRESS:
                break
            found.append(one)
        else:
            return found
    return found + [State(Status.IN_PROGRESS)] * (len(containers) - len(found))


def usable(found: State, words: str | None = None, *, hopeless: bool = False) -> State:
    """The state itself, unless the container can't become a post; then PlatformError: INVALID if
    it is `hopeless`, else one that has it made anew."""
    if found.status not in (Status.ERROR, Status.EXPIRED, Status.UNSEEN):
        return found
    what = words or found.reason or f"its container is {found.status}"
    if hopeless:
        raise PlatformError(
            ErrorKind.INVALID, f"the network can't use it: {what}",
            hint="Mend the file, and edit the post or retry it",
        )  # fmt: skip
    raise PlatformError(
        ErrorKind.TRANSIENT, f"the network dropped what was prepared: {what}", prepare_again=True
    )
