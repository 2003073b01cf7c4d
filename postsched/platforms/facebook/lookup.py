"""A post whose answer was lost, found among the Page's own (fact sheet, section 6).

One that shows a photo which was uploaded for it is it, whatever it says. A text alone is known by
its words and its time; where several fit, nothing is guessed. The list is newest first; whether it
heeds `since` is not sure, so it is read until its posts are too old.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from postsched.domain.outcome import Published
from postsched.platforms.base import Prepared, Unknown
from postsched.platforms.graph.api import Graph, node, rows_in
from postsched.platforms.graph.lookup import made_at
from postsched.platforms.graph.refusals import is_refusal

MARGIN = timedelta(seconds=60)
"""How far before the first try a post may have been made by Facebook's clock."""
TRIES_LAST = timedelta(hours=12)
"""For so long after it was prepared, a step may be out from an earlier try."""
PAGE, PAGES = 25, 4
FIELDS = "id,message,created_time,permalink_url,attachments{target,subattachments{target}}"
Row = Mapping[str, Any]


async def find(graph: Graph, prepared: Prepared, since: datetime) -> Published | Unknown | None:
    """The post among those of the Page since it may first have been sent (UTC), None if it is not
    there."""
    rows = await _since(graph, str(prepared.data["page"]), _floor(prepared, since))
    if isinstance(rows, Unknown):
        return rows
    rows = [row for row in rows if str(row.get("id")) not in prepared.others]
    photos = frozenset(map(str, prepared.data.get("photos") or ()))
    if photos and not prepared.anew:
        return _by_photos(rows, photos, prepared)
    found = [row for row in rows if _says(row, prepared)]
    if found and prepared.anew and not _words(prepared):
        return Unknown("the Page has a post without words too, and it could be that")
    if len(found) == 1:
        return of(found[0])
    if found:
        return Unknown("the Page has several posts that could be it")
    if prepared.data["edge"] == "videos":
        return Unknown("Facebook shows a film only once it is processed")
    return None


def of(row: Row) -> Published:
    """A post as a part that is out."""
    number = node(str(row.get("id")))
    link = row.get("permalink_url")
    whole = isinstance(link, str) and link.startswith(("https://", "http://"))
    return Published(number, link if whole else f"https://www.facebook.com/{number}")


def _by_photos(
    rows: list[Row], photos: frozenset[str], prepared: Prepared
) -> Published | Unknown | None:
    for row in rows:
        if photos & frozenset(_targets(row.get("attachments"))):
            return of(row)
    if any(_says(row, prepared) and not row.get("attachments") for row in rows):
        return Unknown("the Page has a post that says the same, and its photos are not shown")
    return None


def _floor(prepared: Prepared, since: datetime) -> datetime:
    """The earliest time that the step may have there: an earlier try of it was not there when
    Facebook was asked, and may be all the same."""
    first = datetime.fromisoformat(str(prepared.data["at"]))
    return (first if first < since < first + TRIES_LAST else since) - MARGIN


async def _since(graph: Graph, page: str, floor: datetime) -> list[Row] | Unknown:
    """The Page's posts since then, newest first."""
    params = {"fields": FIELDS, "limit": str(PAGE), "since": str(int(floor.timestamp()))}
    rows: list[Row] = []
    for _ in range(PAGES):
        response = await graph.get(f"{page}/published_posts", **params)
        if is_refusal(response) and "since" in params and graph.read(response).code == 100:
            del params["since"]
            response = await graph.get(f"{page}/published_posts", **params)
        if is_refusal(response) and graph.read(response).is_permission:
            words = graph.read(response).words
            return Unknown(f"the login may not read the Page's posts: {words}", final=True)
        answer = graph.object(response)
        found = rows_in(answer, "posts")
        rows += [row for row in found if _made_at(row, floor) >= floor]
        after = _after(answer)
        if not found or after is None or _made_at(found[-1], floor) < floor:
            return rows
        params["after"] = after
    return Unknown("the Page has posted too much since to look at all of it")


def _after(answer: Mapping[str, Any]) -> str | None:
    """Where the next page of a list begins, None where there is none."""
    paging = answer.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) and after else None


def _says(row: Row, prepared: Prepared) -> bool:
    return _normal(str(row.get("message") or "")) == _normal(_words(prepared))


def _words(prepared: Prepared) -> str:
    form = prepared.data["form"]
    return str(form.get("message") or form.get("description") or "")


def _targets(attachments: Any) -> Iterator[str]:
    """The ids of all that a post shows."""
    if isinstance(attachments, list):
        for one in attachments:
            yield from _targets(one)
    elif isinstance(attachments, dict):
        target = attachments.get("target")
        if isinstance(target, dict) and target.get("id"):
            yield str(target["id"])
        for name in ("data", "subattachments"):
            yield from _targets(attachments.get(name))


def _made_at(row: Row, unknown: datetime) -> datetime:
    return made_at(row, unknown, "created_time")


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
