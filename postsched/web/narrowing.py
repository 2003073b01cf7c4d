"""Which deliveries of a post an action is for."""

from __future__ import annotations

from postsched.domain import bounds
from postsched.service.deliveries import Which
from postsched.service.desk import Desk, accounts_named
from postsched.web.looking import named_in
from postsched.web.schemas.actions import Narrowed


def which_of(desk: Desk, given: Narrowed) -> Which:
    """The deliveries that are meant. Raises InvalidInput, and NotFound with a field."""
    accounts, occurrence = None, None
    if given.accounts is not None:
        with desk.database.read() as connection, named_in("accounts"):
            accounts = frozenset(one.name for one in accounts_named(connection, given.accounts))
    if given.occurrence is not None:
        occurrence = bounds.instant(given.occurrence, desk.now(), desk.zone)
    return Which(accounts, occurrence, given.delivery)
