"""What the page may be looked at in: states of a database, each with the pages that show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import time, timedelta

from sqlalchemy import text

from postsched.domain.delivery import DeliveryStatus
from postsched.service import pausing, slots
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from tests.web.page import gallery
from tests.web.page.scene import troubled

FIXED = ("/", "/drafts", "/calendar", "/calendar?week=", "/queue", "/history", "/accounts",
         "/compose")  # fmt: skip
MANY = 10_000
"""Posts that the page is to be quick with."""


def attacked(desk: Desk) -> Sequence[str]:
    """Everything needs a hand, and every text is an attack."""
    made = troubled(desk)
    posts = [f"/posts/{made[name]}" for name in ("failed", "draft", "series")]
    return [*FIXED, "/calendar?week=2031-05-01", *posts, f"/compose?post={made['draft']}",
            "/nowhere"]  # fmt: skip


def empty(desk: Desk) -> Sequence[str]:
    """One account, and nothing else."""
    return FIXED


def bare(desk: Desk) -> Sequence[str]:
    """No account either."""
    with desk.database.write() as connection:
        connection.execute(text("DELETE FROM accounts"))
    return FIXED


def crowded(desk: Desk) -> Sequence[str]:
    """A busy place."""
    made = gallery.crowded(desk)
    posts = [f"/posts/{number}" for number in dict.fromkeys(made.values())]
    return [*FIXED, *posts, f"/compose?post={made['everything']}", "/queue?account=studio"]


def packed(desk: Desk) -> Sequence[str]:
    """A day with forty firings, of one account and of several."""
    names = ("studio", "news", "friends")
    for name in names:
        gallery.account(desk, name, "mastodon", f"https://{name}.example")
    for number in range(40):
        to = names[: number % 3 + 1]
        at = f"2031-05-14 {8 + number // 4:02}:{number % 4 * 15:02}"
        gallery.add(desk, gallery.TEXTS[number % len(gallery.TEXTS)], *to, at=at)
    return ["/calendar?month=2031-05", "/calendar?week=2031-05-14",
            "/calendar?month=2031-05&account=news"]  # fmt: skip


def changing(desk: Desk) -> Sequence[str]:
    """The months in which the clocks change, with posts in the hours that are there twice, or not
    at all."""
    gallery.add(desk, "Every night", "me", repeat="daily", at="02:30", tz="Europe/Berlin")
    gallery.add(desk, "In the hour that is not there", "me", at="2031-03-30 02:15")
    days = ("2031-03-30", "2031-10-26")
    return [f"/calendar?{span}" for day in days for span in (f"month={day[:7]}", f"week={day}")]


def held(desk: Desk) -> Sequence[str]:
    """Everything is held, and a post and an account by themselves, too."""
    number = gallery.add(desk, gallery.TEXTS[0], "me", at="in 3 hours")
    pausing.pause(desk, [number])
    pausing.pause_accounts(desk, ["me"], paused=True)
    pausing.pause_all(desk, paused=True)
    return ["/", "/calendar", "/accounts", f"/posts/{number}"]


def full(desk: Desk) -> Sequence[str]:
    """Very many posts, in slots and out of them, drafts and failures among them."""
    with desk.database.read() as connection:
        (me,) = account_rows.every(connection)
    other = gallery.account(desk, "other", "mastodon", "https://other.example")
    slots.add(desk, "other", range(7), [time(9)], "Europe/Berlin")
    gallery.many(desk, other, 300, "queued")
    gallery.many(desk, me, 300, DeliveryStatus.FAILED)
    gallery.many(desk, me, 45, "draft")
    gallery.many(desk, me, MANY, "scheduled")
    month = f"{desk.now() + timedelta(days=10):%Y-%m}"
    return [*FIXED, f"/calendar?month={month}", f"/calendar?month={month}&account=me",
            "/queue?account=other&from=100", "/history?status=failed&search=post"]  # fmt: skip


STATES: dict[str, Callable[[Desk], Sequence[str]]] = {
    made.__name__: made for made in (attacked, empty, bare, crowded, packed, changing, held, full)
}
