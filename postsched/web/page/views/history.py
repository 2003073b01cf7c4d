"""What is over: permalinks, lateness, and a search."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import InvalidInput
from postsched.store import accounts as account_rows
from postsched.store import pages
from postsched.store.columns import instant, micros
from postsched.store.openings import openings
from postsched.store.reading import Filter
from postsched.web import paging
from postsched.web.page.visit import Visit, view

S = DeliveryStatus
MOST = 50
OVER = (S.PUBLISHED, S.FAILED, S.MISSED, S.UNCONFIRMED, S.CANCELLED)


@view()
def history(visit: Visit) -> Response:
    """The newest, or those that a search finds; then those behind them, page by page."""
    asked = {key: visit.asked(key).strip()[:200] for key in ("search", "status", "account")}
    place = paging.place_of(visit.asked("cursor")[:200] or None, 2)
    with visit.desk.database.read() as connection:
        accounts = account_rows.every(connection)
        wanted = Filter(
            status=[asked["status"]] if asked["status"] in [one.value for one in OVER] else (),
            accounts=[account.id for account in accounts if account.name == asked["account"]],
            search=asked["search"] or None,
        )
        before = _before(place) if place else None
        found = pages.history(connection, wanted, before, MOST + 1)
        texts = openings(connection, [one.post_id for _, one in found])
    return visit.page(
        "history.html", found=[one for _, one in found[:MOST]], texts=texts, accounts=accounts,
        statuses=OVER, asked=asked, later=bool(place), older=_older(found, asked),
    )  # fmt: skip


def _before(place: list[int]) -> tuple[datetime, int]:
    try:
        return instant(place[0]), place[1]
    except OverflowError:
        raise InvalidInput("that is no place in the history", "Begin anew: /history") from None


def _older(found: list[pages.Finished], asked: dict[str, str]) -> str | None:
    """The address of the next page."""
    if len(found) <= MOST:
        return None
    at, last = found[MOST - 1]
    given = {key: words for key, words in asked.items() if words}
    return f"/history?{urlencode(given | {'cursor': paging.written(micros(at), last.id)})}"


ROUTES = [Route("/history", history)]
