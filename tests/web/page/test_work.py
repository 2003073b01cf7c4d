"""What a page does is bounded by what it shows, however much there is: counted in statements and in
the steps of SQLite's machine, which are the same on every computer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time
from types import FrameType
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from sqlalchemy import event
from starlette.testclient import TestClient

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.errors import NotAllowed
from postsched.domain.scope import Scope
from postsched.service import lineup, queue, slots
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store.deliveries import delivery_of
from tests.web.page.conftest import signed_in
from tests.web.page.gallery import account, many

pytestmark = pytest.mark.sqlite
FEW, MANY = 150, 1500
STATEMENTS = 30
"""The most that a page may run."""
UNIT = 100
"""So many steps are counted at once."""
CHEAP = 5
"""The steps that a page may take for one post more that it does not show: it is counted."""
DEARER = {"/calendar": 20, "/queue": 50, "/queue?account=other": 50}
"""The same for pages that count by day, or by the place in a line."""
ADDRESSES = (
    "/", "/drafts", "/calendar", "/calendar?week=", "/queue", "/queue?account=other", "/history",
    "/accounts", "/compose", "/posts/1",
)  # fmt: skip
KINDS = ("scheduled", DeliveryStatus.FAILED, "draft", "queued")


@contextmanager
def counted(desk: Desk) -> Iterator[dict[str, int]]:
    """The statements run meanwhile, and the steps taken."""
    found, told = {"statements": 0, "steps": 0}, True

    def step() -> int:
        found["steps"] += UNIT * told
        return 0

    def statement(words: str) -> None:
        found["statements"] += told and words.lstrip().upper().startswith(("SELECT", "WITH"))

    def taken(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(step, UNIT)
        connection.set_trace_callback(statement)

    event.listen(desk.database.engine, "checkout", taken)
    try:
        yield found
    finally:
        told = False  # connections are kept, and what counts with them
        event.remove(desk.database.engine, "checkout", taken)


def asked(browser: TestClient, desk: Desk) -> dict[str, dict[str, int]]:
    """What each page takes."""
    each = {}
    for address in ADDRESSES:
        with counted(desk) as found:
            assert browser.get(address).status_code == 200, address
        each[address] = found
    return each


def fill(desk: Desk, count: int) -> None:
    """So many posts of each kind."""
    with desk.database.read() as connection:
        accounts = {one.name: one for one in account_rows.every(connection)}
    for become in KINDS:
        many(desk, accounts["other" if become == "queued" else "me"], count, become)


def test_a_page_does_no_more_where_there_is_more(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    account(desk, "other", "outbox")
    slots.add(desk, "other", range(7), [time(9)], "Europe/Berlin")
    fill(desk, FEW)
    asked(browser, desk)
    few = asked(browser, desk)
    fill(desk, MANY - FEW)
    after = asked(browser, desk)
    more = len(KINDS) * (MANY - FEW)
    for address, took in after.items():
        before = few[address]
        assert took["statements"] <= min(STATEMENTS, before["statements"] + 1), (address, took)
        each = (took["steps"] - before["steps"]) / more
        assert each <= DEARER.get(address, CHEAP), (address, each)


def test_a_step_in_a_queue_reads_two_posts_of_it(desk: Desk) -> None:
    other = account(desk, "other", "outbox")
    many(desk, other, MANY, "queued")
    assert calls_of(delivery_of, lambda: queue.step(desk, 5, ["other"], 1)) < 10
    assert calls_of(delivery_of, lambda: queue.swap(desk, 5, 9, ["other"])) < 10
    (line,) = lineup.lines(desk, 10)
    found = [place.post.id for place in line.places if place.post]
    assert found == [1, 2, 3, 4, 6, 9, 7, 8, 5, 10]
    for end, by in ((1, -1), (MANY, 1)):
        with pytest.raises(NotAllowed, match="already"):
            queue.step(desk, end, None, by)


def calls_of(function: Any, work: Callable[[], object]) -> int:
    """How often a function is called in the course of something."""
    count = 0

    def watch(frame: FrameType, what: str, _: object) -> None:
        nonlocal count
        count += what == "call" and frame.f_code is function.__code__

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
