"""Which Instagram account a login is for (fact sheet, section 1).

With Instagram Login the token says so; with Facebook Login (`--set login=facebook`, `--url
https://graph.facebook.com`) it is the account of the Page that the token may manage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.graph.api import Graph, node, unreadable

KINDS = ("instagram", "facebook")


def by_facebook(login: Login) -> bool:
    """Whether the account is used by Facebook Login. Raises PlatformError(INVALID) for a setting
    that is none."""
    kind = login.settings.get("login", "instagram")
    if kind not in KINDS:
        raise PlatformError(ErrorKind.INVALID, f"login is {kind!r}, not {' or '.join(KINDS)}")
    return kind == "facebook"


async def inspect(login: Login, graph: Graph) -> dict[str, Any]:
    """The account's facts: its id and its name, and how it logs in."""
    who = await (_of_page(login, graph) if by_facebook(login) else _own(graph))
    name = str(who.get("username") or who["id"])
    kind = "facebook" if by_facebook(login) else "instagram"
    return {"user": f"@{name}", "id": node(str(who["id"])), "username": name, "login": kind}


async def profile_of(login: Login, graph: Graph) -> str:
    """The id of the account; asked for where it isn't known."""
    known = login.facts.get("id")
    return node(str(known)) if known else str((await inspect(login, graph))["id"])


async def _own(graph: Graph) -> Mapping[str, Any]:
    response = await graph.get("me", fields="user_id,username,name,account_type")
    said = graph.object(response)
    wrapped = said.get("data")  # some answers are a list of one
    who = wrapped[0] if isinstance(wrapped, list) and wrapped else said
    number = who.get("user_id") if isinstance(who, dict) else None
    if not number:
        raise unreadable(response)
    return {"id": number, "username": who.get("username")}


async def _of_page(login: Login, graph: Graph) -> Mapping[str, Any]:
    if login.user:
        return graph.object(await graph.get(node(login.user), fields="id,username"))
    fields = "id,name,instagram_business_account"
    pages = graph.object(await graph.get("me/accounts", fields=fields)).get("data")
    found = [
        page["instagram_business_account"]["id"]
        for page in (pages if isinstance(pages, list) else [])
        if isinstance(page, dict) and isinstance(page.get("instagram_business_account"), dict)
        and "id" in page["instagram_business_account"]
    ]  # fmt: skip
    if len(found) != 1:
        raise PlatformError(
            ErrorKind.INVALID,
            f"the token is for {len(found)} Instagram accounts, so it isn't known which is meant",
            hint="Name it by its number: --user NUMBER",
        )
    return graph.object(await graph.get(node(str(found[0])), fields="id,username"))
