"""What is asked of posts, accounts, slots and the queue."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from postsched.web.schemas.base import Given, Id, Name
from postsched.web.schemas.posts import Short, Text

Names = Annotated[list[Name], Field(min_length=1, max_length=100)]


class Narrowed(Given):
    """Which deliveries of a post are meant; all of them where nothing is said."""

    accounts: Names | None = None
    occurrence: Annotated[Short | None, Field(description="When: one of a series")] = None
    delivery: Id | None = None


class Cancelling(Narrowed):
    """`close_gap`: later posts move up into the slot that gets free (null: as is set)."""

    close_gap: bool | None = None


class Occurrence(Given):
    """What one occurrence of a series is to have for itself."""

    accounts: Names | None = None
    at: Annotated[Short | None, Field(description="When it goes out instead")] = None
    tz: Short | None = None
    text: Text | None = None


class Verdict(Narrowed):
    """What a person saw of an unconfirmed delivery; `url` and `remote_id` go with `published`."""

    verdict: Literal["published", "absent"]
    url: Short | None = None
    remote_id: Short | None = None


class Members(Given):
    """The accounts of a group."""

    accounts: Names


class NewSlots(Given):
    """A slot on each of the days at each of the times: `mon-fri`, `["09:00", "17:30"]`."""

    name: Name
    days: Short
    times: Annotated[list[Short], Field(min_length=1, max_length=100)]
    tz: Short | None = None


class Swap(Given):
    """Two posts that exchange their slots."""

    post: Id
    other: Id
    accounts: Names | None = None


class Moving(Given):
    """For which accounts a post moves; all where none are named."""

    accounts: Names | None = None


class Shuffle(Given):
    """Which accounts' queues are put into another order. The same seed, the same order."""

    accounts: Names | None = None
    seed: Annotated[int | None, Field(ge=0, le=2**63 - 1)] = None
