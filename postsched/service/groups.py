"""Groups: shown and removed. `accounts.set_group` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postsched.domain.account import Group
from postsched.domain.errors import NotFound
from postsched.service.desk import Desk
from postsched.store import accounts as rows

if TYPE_CHECKING:
    from sqlalchemy import Connection


def named(connection: Connection, name: str) -> Group:
    """The group of that name. Raises NotFound."""
    found = {one.name: one for one in rows.all_groups(connection)}.get(name)
    if found is None:
        raise NotFound(f"there is no group {name!r}", f"Make it: account group {name} ACCOUNT")
    return found


def remove(desk: Desk, name: str) -> Group:
    """Remove a group; its accounts and posts stay. Raises NotFound."""
    with desk.database.write() as connection:
        found = named(connection, name)
        rows.remove_group(connection, name)
    return found
