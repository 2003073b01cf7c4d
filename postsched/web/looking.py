"""Which posts or deliveries are wanted: the query parameters that lists share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy import Connection

from postsched.domain import bounds
from postsched.domain.errors import NotFound
from postsched.service import choice
from postsched.service.desk import Desk
from postsched.store.firing_rows import Among
from postsched.store.reading import Filter
from postsched.web.schemas.base import Name
from postsched.web.schemas.documents import DeliveryStatus, PostStatus

When = Annotated[str, Query(max_length=100)]
Accounts = Annotated[
    list[Name] | None, Query(max_length=100, description="Only these accounts or groups")
]
Statuses = Annotated[list[DeliveryStatus] | None, Query(description="Only of these")]
Tag = Annotated[str | None, Query(min_length=1, max_length=200, description="Only with this tag")]
Since = Annotated[
    str | None, Query(alias="from", max_length=100, description="Not before this day or time")
]
Until = Annotated[str | None, Query(max_length=100, description="Not after this day or time")]
Search = Annotated[
    str | None, Query(min_length=1, max_length=200, description="Only with this in the text")
]


@dataclass(frozen=True, slots=True)
class Looking:
    """What a list is narrowed down to."""

    statuses: Sequence[str]
    accounts: Sequence[str]
    since: str | None
    until: str | None
    tag: str | None
    search: str | None

    def filter(self, desk: Desk, connection: Connection, known: Sequence[str]) -> Filter:
        """The same, looked up. Raises InvalidInput, and NotFound with a field."""
        now, zone = desk.now(), desk.zone
        since = bounds.bound(self.since, now, zone) if self.since is not None else None
        until = bounds.bound(self.until, now, zone, end=True) if self.until is not None else None
        with named_in("account"):
            return choice.filter_of(
                connection,
                known,
                statuses=self.statuses,
                accounts=self.accounts,
                since=since,
                until=until,
                tag=self.tag,
                search=self.search,
            )


def among(connection: Connection, accounts: Accounts, tag: Tag) -> Among:
    """The firings to those accounts or groups, with that tag. Raises as Looking."""
    with named_in("account"):
        return choice.among_of(connection, accounts or (), tag)


@contextmanager
def named_in(field: str) -> Iterator[None]:
    """What is not there was named by that parameter or member: a fault of the request, not of its
    address."""
    try:
        yield
    except NotFound as error:
        error.field = error.field or field
        raise


async def _narrowed(
    account: Accounts = None,
    since: Since = None,
    until: Until = None,
    tag: Tag = None,
    search: Search = None,
) -> Looking:
    return Looking((), account or (), since, until, tag, search)


Narrowed = Annotated[Looking, Depends(_narrowed)]


async def _of_posts(
    narrowed: Narrowed,
    status: Annotated[
        list[PostStatus | DeliveryStatus] | None, Query(description="Only of these")
    ] = None,
) -> Looking:
    return replace(narrowed, statuses=status or ())


async def _of_history(narrowed: Narrowed, status: Statuses = None) -> Looking:
    return replace(narrowed, statuses=status or ())


async def _of_deliveries(
    status: Statuses = None, account: Accounts = None, since: Since = None, until: Until = None
) -> Looking:
    return Looking(status or (), account or (), since, until, None, None)


OfPosts = Annotated[Looking, Depends(_of_posts)]
OfDeliveries = Annotated[Looking, Depends(_of_deliveries)]
OfHistory = Annotated[Looking, Depends(_of_history)]
