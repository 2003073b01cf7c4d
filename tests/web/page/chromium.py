"""A real browser at the page, without a screen.

With PAGE_SHOTS=FOLDER, pictures of every page and state are left in that folder.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from postsched.service.desk import Desk
from postsched.web.app import create_app
from postsched.web.auth import Authenticate, without_login
from postsched.web.binding import address_of, bind
from postsched.web.serving import Serving
from tests.servers.visitor import CHROMIUM, FLAGS

SHOTS = os.environ.get("PAGE_SHOTS")  # of the tests, which see no variables of ours
PATIENCE = 15_000
"""Milliseconds that a page may take on a busy machine."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def served(desk: Desk, authenticate: Authenticate = without_login) -> Iterator[str]:
    """The page at a port of its own; its address."""
    with bind("127.0.0.1", 0) as bound:
        listening = threading.Event()
        site = Serving(create_app(lambda: desk, authenticate), bound, 1, listening.set)
        site.start()
        assert listening.wait(30)
        try:
            yield address_of(bound).replace("127.0.0.1", "localhost")
        finally:
            ending = threading.Thread(target=lambda: asyncio.run(site.stop()))
            ending.start()  # this thread has the browser's event loop
            ending.join()


@contextmanager
def started() -> Iterator[Any]:
    """A browser. Not one for all tests: while it is there, its event loop runs in this thread, and
    no other can."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM} (Debian: chromium)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def person(chromium: Any, **manner: Any) -> Iterator[Any]:
    """Somebody at the browser, who notes what it complains of and what it asks elsewhere."""
    context = chromium.new_context(**{"viewport": {"width": 1200, "height": 900}, **manner})
    context.set_default_timeout(PATIENCE)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("request", lambda one: _note_stranger(one.url, faults))
    yield page
    refused = re.compile(r"the server responded with a status of (401|404|422) ")
    wrong = [one for one in faults if not refused.search(one)]
    assert not wrong, wrong
    assert page.evaluate("window.xss") is None
    context.close()


def _note_stranger(url: str, faults: list[str]) -> None:
    if not re.match(r"(http://localhost:\d+/|blob:|data:)", url):
        faults.append(f"asked elsewhere: {url}")


def shot(page: Any, name: str) -> None:
    """Leave a picture, if somebody wants to look."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def painted(page: Any) -> float:
    """When the page showed anything first, in milliseconds. It is asked again and again, for its
    policy lets no script of ours wait in it."""
    deadline = monotonic() + PATIENCE / 1000
    asked = "performance.getEntriesByType('paint').map(one => one.startTime)"
    while not (found := page.evaluate(asked)):
        assert monotonic() < deadline, "nothing was painted"
    return float(found[0])


def said(page: Any) -> str:
    """What the page says was done."""
    return str(page.locator(".said").inner_text())


def expect_usable(page: Any, width: int) -> None:
    """Fail where not all can use the page (axe-core), or where it is wider than the screen."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    found = axe.Axe().run(page, options={"runOnly": RULES}).response["violations"]
    told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
    assert not told, (page.url, told)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
