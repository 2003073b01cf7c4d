"""Which Page a login is for (fact sheet, sections 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.graph import introspection, pages
from postsched.platforms.graph.api import Graph, id_in, node
from postsched.platforms.graph.pages import Page
from postsched.platforms.graph.refusals import is_refusal

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import OAuth

POST = "pages_manage_posts"
SCOPES = ("pages_show_list", "pages_read_engagement", POST, "pages_manage_engagement")
LEAST = SCOPES[:3]


def names(page: Page) -> Sequence[str]:
    """What a Page is chosen by."""
    return page.id, page.name


def consent(login: Login) -> OAuth:
    """How one logs in."""
    return pages.description(login, SCOPES, LEAST, names, "Page")


async def inspect(login: Login, graph: Graph, http: httpx.AsyncClient) -> dict[str, Any]:
    """The Page's facts: its id and its name, and when people have to log in again.

    Raises PlatformError(AUTH) for a token that is no Page's or may not post, and for one of
    another Page than the account is for.
    """
    response = await graph.get("me", fields="id,name")
    who = graph.object(response)
    page = Page(id_in(response, who), str(who.get("name") or who.get("id")))
    await _refuse_person(page, graph)
    _refuse_other(page, login)
    said = await introspection.by_app(graph, login, http)
    _refuse_lacking(said)
    end = introspection.end_of(said, "expires_at", "data_access_expires_at")
    return {"user": page.name, "id": page.id, **end}


async def id_of(login: Login, graph: Graph, http: httpx.AsyncClient) -> str:
    """The Page's id; asked for where it isn't known."""
    known = login.facts.get("id")
    return node(str(known)) if known else str((await inspect(login, graph, http))["id"])


async def _refuse_person(who: Page, graph: Graph) -> None:
    """A person has Pages, a Page has none: what it asks for is refused then."""
    response = await graph.get("me/accounts", fields="id,name", limit="10")
    if is_refusal(response):
        refusal = graph.read(response)
        if refusal.is_login or refusal.is_rate or refusal.is_open:
            raise refusal.error()
        return
    rows = graph.object(response).get("data")
    found = [pages.page_of(row) for row in rows if isinstance(row, dict)] if rows else []
    listed = ", ".join(f"{page.name} ({page.id})" for page in found if page)
    raise PlatformError(
        ErrorKind.AUTH,
        f"the token is of the person {who.name}, not of a Page"
        + (f"; theirs are: {listed}" if listed else ", and they manage none"),
        hint="Take the access_token that /me/accounts shows for the Page, or log in",
    )


def _refuse_other(page: Page, login: Login) -> None:
    wanted = (login.user or "").strip().casefold()
    known = str(login.facts.get("id") or "")
    if not wanted or wanted in (page.id, page.name.casefold()) or page.id == known:
        return
    raise PlatformError(
        ErrorKind.AUTH, f"the token is for the Page {page.name} ({page.id}), not for {login.user}",
        hint="Give the token of that Page, or name this one by --user",
    )  # fmt: skip


def _refuse_lacking(said: Mapping[str, Any]) -> None:
    """Raise PlatformError(AUTH) for a token of which the app says that it may not post."""
    scopes = said.get("scopes")
    if isinstance(scopes, list) and scopes and POST not in scopes:
        raise PlatformError(
            ErrorKind.AUTH, f"the token does not include {POST}",
            hint="Log in again, and leave every permission ticked",
        )  # fmt: skip
