"""A database in which everything needs a hand, and every text that others wrote is an attack."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

from sqlalchemy import text

from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import Delivery, DeliveryStatus, Role, Step
from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.outcome import ErrorKind, Problem, Published
from postsched.service import posts, slots, uploads
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store.tables import deliveries
from postsched.testing.picture import png

S = DeliveryStatus
NASTY = "<script>window.xss=1</script>\"'><img src=x onerror=window.xss=1>"
LINK = "javascript:window.xss=1//"
LATER = "2031-05-01 10:00"


def account(desk: Desk, name: str, **facts: Any) -> None:
    """A further account."""
    new = Account(0, name, name, "outbox", desk.now(), settings={"dir": f"/nowhere/{name}"})
    with desk.database.write() as connection:
        made = account_rows.insert(connection, new)
        account_rows.save(connection, replace(made, **facts))


def troubled(desk: Desk) -> dict[str, int]:
    """Make it; the ids of the posts, by what has become of them."""
    account(desk, "refused", state=AccountState.LOGIN, state_message=NASTY)
    account(desk, "strange", url=LINK, user=NASTY, state=AccountState.OK, paused=True)
    account(desk, "ending", state=AccountState.OK,
            token_expires_at=desk.now() + timedelta(days=3))  # fmt: skip
    made = {}
    for status in (S.FAILED, S.MISSED, S.UNCONFIRMED, S.PUBLISHED, S.SCHEDULED):
        made[status.value] = _post(desk, at=LATER)
        _settle(desk, made[status.value], status)
    made["draft"] = _post(desk, draft=True, at=LATER)
    made["queued"] = _queued(desk)
    made["pictured"] = _pictured(desk)
    made["series"] = _post(desk, repeat="daily", at="09:00", tz="Europe/Berlin")
    with desk.database.write() as connection:
        connection.execute(
            text("INSERT INTO holds (subject, until, why, message, failures, opened) "
                 "VALUES ('service mastodon https://x.test', :until, 'breaker', :message, 5, 1)"),
            {"until": _micros(desk, timedelta(minutes=5)), "message": NASTY},
        )  # fmt: skip
        connection.execute(
            text("INSERT INTO notifications (uid, way, event, account, at, document, attempts, "
                 "problem, finished_at, post_id, url) VALUES ('msg_1', 'callback', 'published', "
                 "'me', :at, '{}', 9, :message, :at, 1, :url)"),
            {"at": _micros(desk), "message": NASTY, "url": f"https://x.test/{NASTY}"},
        )  # fmt: skip
    return made


def _queued(desk: Desk) -> int:
    slots.add(desk, "me", range(7), [time(9)], "Europe/Berlin")
    for _ in range(3):
        added = posts.add(desk, Draft(text=NASTY, to=("me",), slot=True))
    assert added.id is not None
    return added.id


def _pictured(desk: Desk) -> int:
    """A draft with a picture of an evil name."""
    with uploads.incoming(desk) as file:
        file.write_bytes(png(64, 48))
        kept = uploads.keep(desk, file, f"{NASTY.replace('/', '')}.png")
    media = (DraftMedia(kept.path, alt=NASTY),)
    draft = Draft(text=NASTY, to=("me",), media=media, draft=True, at=LATER)
    added = posts.add(desk, uploads.as_kept(desk, draft, ()))
    assert added.id is not None
    return added.id


def _post(desk: Desk, **more: Any) -> int:
    draft = Draft(
        text=f"{NASTY} in the text", to=("me",), comment=NASTY, title=NASTY, warning=NASTY,
        tags=(NASTY,), variants={"me": f"{NASTY} for me"}, link="https://x.test/?q=<b>", **more,
    )  # fmt: skip
    added = posts.add(desk, draft)
    assert added.id is not None
    return added.id


def _settle(desk: Desk, post_id: int, status: DeliveryStatus) -> None:
    """Bring its delivery to that end, as an attacker at the network would word it."""
    problem = Problem(ErrorKind.INVALID, NASTY, hint=NASTY)
    with desk.database.write() as connection:
        (before,) = delivery_rows.of_posts(connection, [post_id])[post_id]
        after = replace(before, status=status, steps=_steps(before))
        if status is not S.SCHEDULED:
            after = replace(after, next_at=None, occurrence=desk.now(), due_at=desk.now())
        if status in (S.FAILED, S.UNCONFIRMED):
            after = replace(after, problem=problem, sent_at=desk.now())
        if status is S.PUBLISHED:
            out = tuple(replace(one, published=Published(NASTY, LINK)) for one in _steps(after))
            after = replace(
                after, steps=out, published_at=desk.now(), lateness=timedelta(seconds=2)
            )
        values = delivery_rows.values_of(after)
        if status is not S.SCHEDULED:
            values["finished_at"] = desk.now()
        connection.execute(deliveries.update().where(deliveries.c.id == before.id).values(values))


def _steps(delivery: Delivery) -> tuple[Step, ...]:
    return delivery.steps or (Step(Role.PART, 1), Step(Role.COMMENT, 1))


def _micros(desk: Desk, later: timedelta = timedelta(0)) -> int:
    return int((desk.now() + later).timestamp() * 1_000_000)
