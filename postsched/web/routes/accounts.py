"""/accounts and /groups: where posts go. No secret comes in or goes out here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import Connection
from starlette.responses import Response

from postsched.service import accounts as service
from postsched.service import groups, pausing
from postsched.service.account_document import account_document, group_document
from postsched.service.desk import Desk, accounts_named
from postsched.store import accounts as rows
from postsched.web.answers import Json
from postsched.web.auth import Reader, Writer
from postsched.web.context import DeskOf
from postsched.web.idempotency import Reply, Write
from postsched.web.looking import named_in
from postsched.web.requests import Route
from postsched.web.schemas.actions import Members
from postsched.web.schemas.described import described
from postsched.web.schemas.views import Account, Group

router = APIRouter(tags=["accounts"], route_class=Route)
Named = Annotated[str, Path(min_length=1, max_length=64, description="An account or a group")]


@router.get(
    "/accounts", response_model=list[Account], responses=described(), operation_id="list_accounts"
)
def list_accounts(desk: DeskOf, who: Reader) -> Response:
    """All accounts, by name."""
    with desk.database.read() as connection:
        return Json([account_document(one) for one in rows.every(connection)])


@router.get(
    "/accounts/{name}",
    response_model=Account,
    responses=described(404),
    operation_id="get_account",
)
def get_account(name: Named, desk: DeskOf, who: Reader) -> Response:
    """One account."""
    with desk.database.read() as connection:
        return Json(account_document(service.one(connection, name)))


@router.post(
    "/accounts/{name}/pause",
    response_model=list[Account],
    responses=described(404, 408, 413),
    operation_id="pause_account",
)
def pause_account(name: Named, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Hold an account, or those of a group: nothing is sent by them until they are resumed."""
    return _hold(name, desk, write, paused=True)


@router.post(
    "/accounts/{name}/resume",
    response_model=list[Account],
    responses=described(404, 408, 413),
    operation_id="resume_account",
)
def resume_account(name: Named, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Release an account, or those of a group; what is past its grace is missed."""
    return _hold(name, desk, write, paused=False)


@router.get(
    "/groups", response_model=list[Group], responses=described(), operation_id="list_groups"
)
def list_groups(desk: DeskOf, who: Reader) -> Response:
    """All groups."""
    with desk.database.read() as connection:
        return Json([group_document(one) for one in rows.all_groups(connection)])


@router.get(
    "/groups/{name}", response_model=Group, responses=described(404), operation_id="get_group"
)
def get_group(name: Named, desk: DeskOf, who: Reader) -> Response:
    """One group."""
    with desk.database.read() as connection:
        return Json(group_document(groups.named(connection, name)))


@router.put(
    "/groups/{name}",
    response_model=Group,
    responses=described(408, 413, 415),
    operation_id="set_group",
)
def set_group(name: Named, given: Members, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Make a group of those accounts, or give it those instead."""
    with named_in("accounts"):
        return write.do(
            desk,
            lambda desk: service.set_group(desk, name, given.accounts),
            lambda connection: Reply(group_document(groups.named(connection, name))),
        )


@router.delete(
    "/groups/{name}",
    response_model=Group,
    responses=described(404, 408, 413),
    operation_id="remove_group",
)
def remove_group(name: Named, desk: DeskOf, who: Writer, write: Write) -> Response:
    """Remove a group: it, as it was. Its accounts and their posts stay."""
    with desk.database.read() as connection:
        was = next((one for one in rows.all_groups(connection) if one.name == name), None)
    return write.do(
        desk,
        lambda desk: groups.remove(desk, name),
        lambda connection: Reply(group_document(was) if was else None),
    )


def _hold(name: str, desk: Desk, write: Write, *, paused: bool) -> Response:
    def reply(connection: Connection) -> Reply:
        return Reply([account_document(one) for one in accounts_named(connection, [name])])

    return write.do(desk, lambda desk: pausing.pause_accounts(desk, [name], paused=paused), reply)
