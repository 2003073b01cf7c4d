"""Which Instagram account a login is for, and how people log in (fact sheet, sections 1 and 2).

With Instagram Login the token says so. With Facebook Login (`--set login=facebook`) it is the
account that belongs to a Page: the token is that Page's, or that of a person who manages it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.graph import consent, introspection, pages, tokens
from postsched.platforms.graph.api import Graph, node, unreadable
from postsched.platforms.graph.pages import ACCOUNT, Page
from postsched.platforms.graph.refusals import is_refusal

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import OAuth

SERVICE = "https://graph.instagram.com"
DIALOG = "https://www.instagram.com"
TOKENS = "https://api.instagram.com"
KINDS = ("instagram", "facebook")
SCOPES = (
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
)
FACEBOOK_SCOPES = (
    "instagram_basic",
    "instagram_content_publish",
    "pages_show_list",
    "pages_read_engagement",
    "business_management",
    "instagram_manage_comments",
)
WHAT = "Instagram account"
APP = "with Instagram and its login for business"


def by_facebook(login: Login) -> bool:
    """Whether the account is used by Facebook Login. Raises PlatformError(INVALID) for a setting
    that is none."""
    kind = login.settings.get("login", "instagram")
    if kind not in KINDS:
        raise PlatformError(ErrorKind.INVALID, f"login is {kind!r}, not {' or '.join(KINDS)}")
    return kind == "facebook"


def at_home(login: Login) -> Login:
    """The login at the host that takes its tokens, unless the account has an address of its own."""
    if login.url == SERVICE and by_facebook(login):
        return replace(login, url=pages.SERVICE)
    return login


def description(login: Login) -> OAuth:
    """How one logs in, in either way."""
    login = at_home(login)
    if by_facebook(login):
        return pages.description(login, FACEBOOK_SCOPES, FACEBOOK_SCOPES[:4], names, WHAT)
    ours = login.url == SERVICE
    return consent.pasted(
        login,
        f"{DIALOG if ours else login.url}/oauth/authorize",
        f"{TOKENS if ours else login.url}/oauth/access_token",
        SCOPES,
        needed=SCOPES[:2],
        app=APP,
        lasting=partial(tokens.lasting, f"{login.url}/access_token", "ig_exchange_token"),
    )


def names(page: Page) -> Sequence[str]:
    """What the account of a Page is chosen by; nothing where it has none."""
    if page.account is None:
        return ()
    return page.account[0], f"@{page.account[1]}", page.id, page.name


async def inspect(login: Login, graph: Graph, http: httpx.AsyncClient) -> dict[str, Any]:
    """The account's facts: its id and its name, how it logs in, and until when the token is good
    where the app that gave it is known."""
    if not by_facebook(login):
        who = await _own(graph)
        return _facts(str(who["id"]), str(who.get("username") or who["id"]), "instagram")
    number, name = await _of_page(login, graph)
    said = await introspection.by_app(graph, login, http)
    end = introspection.end_of(said, "expires_at", "data_access_expires_at")
    return {**_facts(number, name, "facebook"), **end}


async def id_of(login: Login, graph: Graph, http: httpx.AsyncClient) -> str:
    """The id of the account; asked for where it isn't known."""
    known = login.facts.get("id")
    return node(str(known)) if known else str((await inspect(login, graph, http))["id"])


def _facts(number: str, name: str, kind: str) -> dict[str, Any]:
    return {"user": f"@{name}", "id": node(number), "username": name, "login": kind}


async def _own(graph: Graph) -> Mapping[str, Any]:
    response = await graph.get("me", fields="user_id,username,name,account_type")
    said = graph.object(response)
    wrapped = said.get("data")  # some answers are a list of one
    who = wrapped[0] if isinstance(wrapped, list) and wrapped else said
    number = who.get("user_id") if isinstance(who, dict) else None
    if not number:
        raise unreadable(response)
    return {"id": number, "username": who.get("username")}


async def _of_page(login: Login, graph: Graph) -> tuple[str, str]:
    """Id and name of the account of a Page. A person has no such account, but a list of Pages."""
    response = await graph.get("me", fields=f"id,name,{ACCOUNT}{{id,username}}")
    if is_refusal(response) and graph.read(response).code == 100:
        found = await pages.managed(graph, f"id,name,{ACCOUNT}{{id,username}}")
    else:
        own = pages.page_of(graph.object(response))
        found = [own] if own else []
    page = pages.chosen(found, login, names, WHAT)
    assert page.account is not None, "what has no account has no names, and is not chosen"
    return page.account
