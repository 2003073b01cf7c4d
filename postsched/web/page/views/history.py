"""What is over: permalinks, lateness, and a search."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.delivery import DeliveryStatus
from postsched.store import accounts as account_rows
from postsched.store import reading
from postsched.store.openings import openings
from postsched.store.reading import Filter
from postsched.web.page.visit import Visit, view

S = DeliveryStatus
MOST = 100
OVER = (S.PUBLISHED, S.FAILED, S.MISSED, S.UNCONFIRMED, S.CANCELLED)


@view()
def history(visit: Visit) -> Response:
    """The newest, or those that a search finds."""
    words, status, name = (visit.asked(key).strip() for key in ("search", "status", "account"))
    with visit.desk.database.read() as connection:
        accounts = account_rows.every(connection)
        wanted = Filter(
            status=[status] if status in [one.value for one in OVER] else (),
            accounts=[account.id for account in accounts if account.name == name],
            search=words[:200] or None,
        )
        found = reading.history(connection, wanted, MOST + 1)
        texts = openings(connection, [one.post_id for one in found])
    asked = {"search": words, "status": status, "account": name}
    return visit.page(
        "history.html", found=found[:MOST], more=len(found) > MOST, texts=texts,
        accounts=accounts, statuses=OVER, asked=asked,
    )  # fmt: skip


ROUTES = [Route("/history", history)]
