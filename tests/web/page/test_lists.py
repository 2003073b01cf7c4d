"""Long lists: each page reads what it shows, and leads on to the rest."""

from __future__ import annotations

import re
from datetime import time

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from starlette.testclient import TestClient

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.scope import Scope
from postsched.service import posts, slots
from postsched.service.desk import Desk
from tests.web.page.conftest import HERE, signed_in, word_of
from tests.web.page.gallery import account, add, draft, many

S = DeliveryStatus


def test_a_long_queue_is_shown_in_stretches(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    other = account(desk, "other", "outbox")
    slots.add(desk, "other", range(7), [time(9)], "Europe/Berlin")
    many(desk, other, 230, "queued")
    page = browser.get("/queue").text
    assert page.count('class="taken"') == 12
    assert "218 more" in page
    shown: list[str] = []
    address = "/queue?account=other"
    while address:
        page = browser.get(address).text
        shown += re.findall(r'class="taken" draggable="true" data-post="(\d+)"', page)
        on = re.search(r'href="([^"]+)" rel="next"', page)
        address = on[1].replace("&amp;", "&") if on else ""
    assert shown == [str(number) for number in range(1, 231)]
    order = {"word": word_of(page), "account": "other", "back": "/queue?account=other"}
    swap = {**order, "post": "1", "other": "3"}
    assert browser.post("/do/order", data=swap, headers=HERE).status_code == 303
    found = re.findall(r'data-post="(\d+)"', browser.get("/queue?account=other").text)
    assert found[:4] == ["3", "2", "1", "4"]
    assert browser.get("/queue?account=other&from=x").status_code == 422
    assert "There are no slots" not in browser.get("/queue?account=nobody").text


def test_history_goes_back_to_the_first(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.READ)
    other = account(desk, "other", "outbox")
    many(desk, other, 120, S.FAILED)
    address, shown = "/history?status=failed&account=other", set[str]()
    for rows in (50, 50, 20):
        page = browser.get(address).text
        found = re.findall(r'href="/posts/(\d+)"', page)
        assert len(found) == rows
        shown |= set(found)
        on = re.search(r'rel="next" href="([^"]+)"', page)
        address = on[1].replace("&amp;", "&") if on else ""
    assert (len(shown), address) == (120, "")
    for wrong in ("x", "WzFd", "WzkyMjMzNzIwMzY4NTQ3NzU4MDYsMV0"):
        assert browser.get(f"/history?cursor={wrong}").status_code == 422
    page = browser.get("/").text
    assert "120 things need a hand" in page
    assert re.search(r'href="/history\?status=failed">And 100 more failed', page)


def test_the_calendar_of_one_account(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    account(desk, "other", "outbox")
    add(desk, "Here", "me", at="2031-05-01 10:00")
    add(desk, "There", "other", at="2031-05-02 10:00")
    whole = browser.get("/calendar?month=2031-05").text
    assert ("Here" in whole, "There" in whole) == (True, True)
    page = browser.get("/calendar?month=2031-05&account=other").text
    assert ("Here" in page, "There" in page) == (False, True)
    assert 'href="/calendar?month=2031-06&amp;account=other"' in page
    for day in range(9):
        add(desk, f"Nr {day}", "me", at=f"2031-05-03 1{day}:00")
    assert "4 more" in browser.get("/calendar?month=2031-05").text


def test_every_draft_can_be_found(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.WRITE)
    other = account(desk, "other", "outbox")
    many(desk, other, 45, "draft")
    assert "And 25 older drafts" in browser.get("/").text
    address, shown = "/drafts", list[int]()
    for rows in (20, 20, 5):
        page = browser.get(address).text
        found = [int(number) for number in re.findall(r'<a href="/posts/(\d+)">Draft', page)]
        assert len(found) == rows
        shown += found
        on = re.search(r'rel="next" href="([^"]+)"', page)
        last, address = address, on[1] if on else ""
    assert (shown, address) == (list(range(45, 0, -1)), "")
    form = {"word": word_of(page), "back": last, "post": "3"}
    seen = re.findall(r'value="3"><input[^>]*name="seen" value="([0-9a-f]+)"', page)
    assert browser.post("/do/approve", data=form | {"seen": "0"}, headers=HERE).status_code == 409
    done = browser.post("/do/approve", data=form | {"seen": seen[0]}, headers=HERE)
    assert (done.status_code, done.headers["location"]) == (303, last)
    assert browser.post("/do/discard", data=form, headers=HERE).status_code == 409
    assert browser.post("/do/discard", data=form | {"post": "2"}, headers=HERE).status_code == 303
    page = browser.get(last).text
    assert re.findall(r'<a href="/posts/(\d+)">Draft', page) == ["5", "4", "1"]
    assert "43 drafts" in page
    for wrong in ("x", "WzFd", "WzkyMjMzNzIwMzY4NTQ3NzU4MDYsMV0"):
        assert browser.get(f"/drafts?cursor={wrong}").status_code == 422


def test_who_proposes_changes_their_own_drafts_only(browser: TestClient, desk: Desk) -> None:
    signed_in(browser, desk, Scope.DRAFT)
    own = posts.add(desk, draft("Own", "me"), author="token:draft").id
    others = posts.add(desk, draft("Another's", "me"), author="token:bot").id
    persons = posts.add(desk, draft("A person's", "me")).id
    for address in ("/", "/drafts"):
        page = browser.get(address).text
        assert re.findall(r'class="button" href="/compose\?post=(\d+)"', page) == [str(own)]
        assert page.count('action="/do/discard"') == 1
        assert "/do/approve" not in page
        assert "Proposed by bot" in page
    form = {"word": word_of(page), "back": "/drafts"}
    for number, status in ((others, 403), (persons, 403), (own, 303)):
        done = browser.post("/do/discard", data=form | {"post": str(number)}, headers=HERE)
        assert done.status_code == status
    assert f'href="/posts/{own}"' not in browser.get("/drafts").text
    browser.cookies.clear()
    signed_in(browser, desk, Scope.READ)
    page = browser.get("/drafts").text
    assert page.count('class="card draft"') == 2
    assert "/compose" not in page
    assert "/do/" not in page
    assert "/compose" not in browser.get("/calendar").text
