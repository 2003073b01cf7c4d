"""Facebook Login: a person logs in, and what is kept is the token of one of their Pages, which
does not expire (fact sheets facebook.md and instagram.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.graph import consent, tokens
from postsched.platforms.graph.api import Graph, rows_in

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import Client, OAuth

SERVICE = "https://graph.facebook.com"
DIALOG = "https://www.facebook.com"
VERSION = "v26.0"
ACCOUNT = "instagram_business_account"
FIELDS = f"id,name,access_token,tasks,{ACCOUNT}{{id,username}}"
MOST_PAGES = 20
"""How many pages of the list of Pages are read."""
SHOWN = 10
"""How many of them an error names."""


@dataclass(frozen=True, slots=True)
class Page:
    """A Page that a person may use. `tasks` is what they may do there, empty where that is not
    said; `account` the Instagram account that belongs to it: its id and its name."""

    id: str
    name: str
    token: str = field(default="", repr=False)
    tasks: frozenset[str] = frozenset()
    account: tuple[str, str] | None = None


Names = Callable[[Page], Sequence[str]]
"""By what a Page is chosen: the id of what is posted to first, then all else it is called."""


def description(login: Login, scopes: tuple[str, ...], needed: tuple[str, ...], names: Names,
                what: str) -> OAuth:  # fmt: skip
    """How one logs in, to what is called `what` and has names at a Page. Addresses are Facebook's
    unless the account has its own."""
    version = login.service.api_version or VERSION
    dialog = DIALOG if login.url == SERVICE else login.url
    base = f"{login.url}/{version}"
    return consent.pasted(
        login,
        f"{dialog}/{version}/dialog/oauth",
        f"{base}/oauth/access_token",
        scopes,
        needed=needed,
        app="with Facebook Login",
        lasting=partial(_lasting, login, names, what),
        code_in_query=True,
    )


async def managed(graph: Graph, fields: str = FIELDS) -> list[Page]:
    """The Pages that the token of a person may use. Raises PlatformError where it is refused, as
    it is to the token of a Page."""
    found: list[Page] = []
    params = {"fields": fields, "limit": "100"}
    for _ in range(MOST_PAGES):
        answer = graph.object(await graph.get("me/accounts", **params))
        found += filter(None, map(page_of, rows_in(answer, "Pages")))
        paging = answer.get("paging")
        following = paging.get("next") if isinstance(paging, dict) else None
        if not isinstance(following, str):
            break
        # Its address has the token in it; the query is what matters.
        params = {n: v for n, v in parse_qsl(urlsplit(following).query) if n != "access_token"}
    return found


def page_of(row: Mapping[str, Any]) -> Page | None:
    """A Page as the network describes it, None for what is none."""
    if not row.get("id"):
        return None
    token, tasks, linked = (row.get(n) for n in ("access_token", "tasks", ACCOUNT))
    account = None
    if isinstance(linked, dict) and linked.get("id"):
        account = str(linked["id"]), str(linked.get("username") or linked["id"])
    return Page(
        str(row["id"]),
        str(row.get("name") or row["id"]),
        token if isinstance(token, str) else "",
        frozenset(map(str, tasks)) if isinstance(tasks, list) else frozenset(),
        account,
    )


def chosen(pages: Sequence[Page], login: Login, names: Names, what: str) -> Page:
    """The Page that the account is for: the one it was for before, the one that `--user` names, or
    the only one. Raises PlatformError(AUTH) that lists them where that can't be told."""
    usable = [page for page in pages if names(page)]
    wanted, known = (login.user or "").strip(), str(login.facts.get("id") or "")
    if known and wanted in ("", login.facts.get("user")):
        fitting = [page for page in usable if names(page)[0] == known]
    elif wanted:
        fitting = [page for page in usable if wanted == names(page)[0]] or [
            page for page in usable if _plain(wanted) in map(_plain, names(page))
        ]
    else:
        fitting = usable
    if len(fitting) == 1:
        return fitting[0]
    raise _unclear(usable, fitting, wanted, login, names, what)


def may_post(page: Page) -> None:
    """Raise PlatformError(AUTH) if the person may not post to the Page."""
    if page.tasks and not page.tasks & {"CREATE_CONTENT", "MANAGE"}:
        raise PlatformError(
            ErrorKind.AUTH, f"this login may not post to the Page {page.name}",
            hint="Have its owner give you the task of creating content, then log in again",
        )  # fmt: skip


async def _lasting(
    login: Login,
    names: Names,
    what: str,
    first: Mapping[str, Any],
    client: Client,
    http: httpx.AsyncClient,
) -> Mapping[str, Any]:
    """From a person's token to one of their Page, which has no end."""
    version = login.service.api_version or VERSION
    url = login.service.token_url or f"{login.url}/{version}/oauth/access_token"
    answer = await tokens.lasting(url, tokens.FACEBOOK, first, client, http)
    person = replace(login, secret=Secret(str(answer["access_token"])))
    page = chosen(await managed(Graph(person, http, VERSION)), login, names, what)
    may_post(page)
    if not page.token:
        raise PlatformError(
            ErrorKind.AUTH, f"the network gives no token for the Page {page.name}",
            hint="Log in again, with every permission and the Page ticked",
        )  # fmt: skip
    return {"access_token": page.token, "expires_in": None}


def _unclear(
    usable: Sequence[Page],
    fitting: Sequence[Page],
    wanted: str,
    login: Login,
    names: Names,
    what: str,
) -> PlatformError:
    if not usable:
        return PlatformError(
            ErrorKind.AUTH, f"this login has no {what}",
            hint="Log in as somebody who manages one, and tick it when you are asked for it",
        )  # fmt: skip
    shown = [f"{names(page)[1]} ({names(page)[0]})" for page in (fitting or usable)]
    listed = ", ".join([*shown[:SHOWN], *(["…"] if len(shown) > SHOWN else [])])
    if not fitting:
        said = f"this login has no {what} {wanted or login.facts.get('user')!r}, but: {listed}"
    else:
        said = f"it isn't said which {what} is meant: {listed}"
    hint = f"Name it: postsched account set {login.account} user=NUMBER, then log in again"
    return PlatformError(ErrorKind.AUTH, said, hint=hint)


def _plain(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
