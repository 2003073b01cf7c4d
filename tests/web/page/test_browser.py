"""The page in a real browser, without a screen: what a person does there.

With PAGE_SHOTS=FOLDER, pictures of every page and state are left in that folder.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from PIL import Image

from postsched.domain.draft import Draft
from postsched.domain.scope import Scope
from postsched.service import drafts, posts, slots, tokens
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.web.app import create_app
from postsched.web.auth import Authenticate, unknown, without_login
from postsched.web.serving import Serving, address_of, bind
from tests.benchmarks.setting import fill
from tests.servers.visitor import CHROMIUM, FLAGS
from tests.web.page import gallery
from tests.web.page.scene import troubled

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"there is no {CHROMIUM} (Debian: chromium)"
)
SHOTS = os.environ.get("PAGE_SHOTS")  # of the tests, which see no variables of ours
PATIENCE = 15_000
"""Milliseconds that a page may take on a busy machine."""
PAGES = ("/", "/calendar", "/calendar?week=2031-05-01", "/queue", "/history", "/accounts",
         "/compose", "/posts/1", "/compose?post=6", "/nowhere")  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


HIDDEN = """() => {
  const one = document.activeElement, bar = document.querySelector(".finish");
  if (!one || one === document.body || bar.contains(one)) return null;
  const box = one.getBoundingClientRect(), over = bar.getBoundingClientRect();
  const under = box.top >= over.top && box.bottom <= over.bottom;
  const away = box.bottom <= 0 || box.top >= innerHeight;
  return under || away ? one.outerHTML.slice(0, 200) : null;
}"""
"""What has the focus and can't be seen at all (WCAG 2.2, 2.4.11)."""


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


@pytest.fixture
def chromium() -> Iterator[Any]:
    """A browser. Not one for all tests: while it is there, its event loop runs in this thread, and
    no other can."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
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
    wrong = [one for one in faults if "404" not in one and "422" not in one]
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


@pytest.mark.slow
def test_a_post_is_written_and_dragged(chromium: Any, desk: Desk, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "cat.png")
    with served(desk) as site, person(chromium) as page:
        page.goto(f"{site}/compose")
        page.get_by_label("me", exact=True).check()
        page.get_by_label("Text", exact=True).fill("Hello from the browser")
        page.get_by_label("At", exact=True).fill("2031-05-01 10:00")
        page.wait_for_selector(".preview >> text=Hello from the browser")
        page.wait_for_selector("#look >> text=Thu 1 May 2031")
        page.set_input_files("#file", str(tmp_path / "cat.png"))
        page.get_by_label("Alt text of cat.png").fill("A teal cat")
        page.wait_for_selector(".preview img[alt='A teal cat']")
        shot(page, "composed")
        page.get_by_role("button", name="Schedule").click()
        page.wait_for_url("**/posts/1")
        assert "Post 1 is scheduled: Thu 1 May 2031, 10:00 CEST" in said(page)
        page.goto(f"{site}/calendar?month=2031-05")
        page.locator(".entry").drag_to(page.locator("td[data-day='2031-05-20']"))
        page.wait_for_selector("td[data-day='2031-05-20'] .entry")
        assert said(page) == "Post 1 is moved to 2031-05-20."
        shot(page, "dragged")
    assert (drafts.draft_of(desk, 1).at or "").startswith("2031-05-20T10:00")


@pytest.mark.slow
def test_by_keyboard_only(chromium: Any, desk: Desk) -> None:
    with served(desk) as site, person(chromium) as page:
        page.goto(f"{site}/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Write").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/compose")
        page.keyboard.type("By keyboard")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        page.get_by_label("At", exact=True).focus()
        page.keyboard.type("2031-05-01 10:00")
        page.keyboard.press("Enter")
        page.wait_for_selector("#composer, #post")
        page.get_by_role("button", name="Schedule").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/posts/1")
        page.goto(f"{site}/calendar?month=2031-05")
        page.locator(".entry summary").focus()
        page.keyboard.press("Enter")
        moving = page.get_by_label("Move to")
        moving.fill("2031-05-09T11:00")
        page.keyboard.press("Enter")
        page.wait_for_selector("td[data-day='2031-05-09'] .entry")


@pytest.mark.slow
def test_without_javascript_on_a_phone(chromium: Any, desk: Desk) -> None:
    made = troubled(desk)
    manner = {"java_script_enabled": False, "viewport": {"width": 360, "height": 740}}
    with served(desk) as site:
        context = chromium.new_context(**manner)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(f"{site}/")
        failed = page.locator(".card.failed")
        failed.get_by_role("button", name="Send it again").click()
        assert said(page) == f"Post {made['failed']} is sent again"
        page.locator(".card.missed").get_by_role("button", name="Let it be").click()
        doubt = page.locator(".card.unconfirmed")
        doubt.get_by_label("Its address there").fill("https://x.test/1")
        doubt.get_by_label("or its id").fill("1")
        doubt.get_by_role("button", name="It is out").click()
        assert "is settled" in said(page)
        draft = page.locator(".card.draft", has=page.locator(f"a[href='/posts/{made['draft']}']"))
        draft.get_by_role("button", name="Approve").click()
        assert said(page) == f"Post {made['draft']} is approved"
        page.goto(f"{site}/compose")
        page.get_by_label("me", exact=True).check()
        page.get_by_label("Text", exact=True).fill("Part one")
        page.get_by_role("button", name="Add a part").click()
        page.get_by_label("Part 2").fill("Part two")
        page.get_by_label("At", exact=True).fill("2031-06-01 10:00")
        page.get_by_role("button", name="Look at it").click()
        assert page.locator(".preview .step").count() == 2
        page.get_by_role("button", name="Save as a draft").click()
        assert "is a draft" in said(page)
        page.goto(f"{site}/calendar?month=2031-05")
        page.locator("td:not(.outside) .entry[draggable] summary").first.click()
        page.locator("[open]").get_by_label("Move to").fill("2031-05-09T11:00")
        page.locator("[open] button", has_text="Move").click()
        assert "is moved" in said(page)
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_every_page_can_be_used_by_all(chromium: Any, desk: Desk, scheme: str, width: int) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    troubled(desk)
    manner = {"color_scheme": scheme, "bypass_csp": True,
              "viewport": {"width": width, "height": 800}}  # fmt: skip
    options = {"runOnly": RULES}
    with served(desk) as site, person(chromium, **manner) as page:
        for address in PAGES:
            page.goto(f"{site}{address}")
            shot(page, f"{re.sub(r'[/?=]', '_', address)}-{scheme}-{width}")
            found = axe.Axe().run(page, options=options).response["violations"]
            told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
            assert not told, (address, told)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (address, wide)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 800, 360])
@pytest.mark.parametrize("state", ["empty", "crowded"])
def test_every_state_looks_right(
    chromium: Any, desk: Desk, scheme: str, width: int, state: str
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    made = gallery.crowded(desk) if state == "crowded" else {}
    posts_of = [f"/posts/{number}" for number in made.values()]
    edited = [f"/compose?post={made['everything']}"] if made else []
    manner = {"color_scheme": scheme, "bypass_csp": True,
              "viewport": {"width": width, "height": 800}}  # fmt: skip
    with served(desk) as site, person(chromium, **manner) as page:
        for address in (*PAGES[:7], "/calendar?week=", *posts_of, *edited):
            page.goto(f"{site}{address}")
            shot(page, f"{state}-{re.sub(r'[/?=]', '_', address)}-{scheme}-{width}")
            found = axe.Axe().run(page, options={"runOnly": RULES}).response["violations"]
            told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
            assert not told, (address, told)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.slow
def test_what_changes_elsewhere_disturbs_nobody(chromium: Any, desk: Desk) -> None:
    troubled(desk)
    with served(desk) as site, person(chromium) as page:
        page.goto(f"{site}/")
        address = page.locator(".card.unconfirmed").get_by_label("Its address there")
        address.fill("https://x.test/half")
        page.evaluate("document.activeElement.blur()")
        posts.add(desk, Draft(text="From elsewhere", to=("me",), draft=True))
        page.get_by_role("link", name="Something has changed").wait_for()
        shot(page, "changed")
        assert address.input_value() == "https://x.test/half"
        assert page.locator("text=From elsewhere").count() == 0
        address.fill("")
        page.evaluate("document.activeElement.blur()")
        page.wait_for_selector(".card.draft >> text=From elsewhere")
        assert page.locator(".changed").count() == 0
        page.goto(f"{site}/calendar?month=2031-05")
        page.locator("td:not(.outside) .entry summary").first.click()
        posts.add(desk, Draft(text="Another", to=("me",), at="2031-05-02 10:00"))
        page.get_by_role("link", name="Something has changed").wait_for()
        assert page.locator("details[open]").count() == 1
        page.keyboard.press("Escape")
        assert page.locator("details[open]").count() == 0
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        page.evaluate("document.activeElement.blur()")
        page.wait_for_selector(".entry >> text=Another")


@pytest.mark.slow
def test_a_queue_is_put_in_order(chromium: Any, desk: Desk) -> None:
    slots.add(desk, "me", range(7), [time(9)], "Europe/Berlin")
    for number in range(1, 4):
        gallery.add(desk, f"Number {number}", "me", slot=True)

    def order(page: Any) -> list[str]:
        return [one.get_attribute("data-post") for one in page.locator("li.taken").all()]

    with served(desk) as site, person(chromium) as page:
        page.goto(f"{site}/queue")
        page.locator("li[data-post='1']").drag_to(page.locator("li[data-post='3']"))
        page.wait_for_selector("text=have changed places")
        assert order(page) == ["3", "2", "1"]
        page.get_by_role("button", name="Post 1 one up").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Post 1 has gone up")
        assert order(page) == ["3", "1", "2"]


@pytest.mark.slow
def test_the_focus_is_always_in_sight(chromium: Any, desk: Desk) -> None:
    made = gallery.crowded(desk)
    with served(desk) as site, person(chromium, viewport={"width": 360, "height": 640}) as page:
        page.goto(f"{site}/compose?post={made['everything']}")
        seen = 0
        for _ in range(60):
            page.keyboard.press("Tab")
            hidden = page.evaluate(HIDDEN)
            assert not hidden, hidden
            seen += 1
        assert seen == 60


@pytest.mark.slow
def test_streams_end_at_once_with_the_server(chromium: Any, desk: Desk) -> None:
    with served(desk) as site:
        context = chromium.new_context()
        page = context.new_page()
        with page.expect_response("**/events"):
            page.goto(f"{site}/")
        begun = threading.enumerate()
        assert any(one.name == "postsched-web" for one in begun)
    assert not any(one.name == "postsched-web" for one in threading.enumerate())
    context.close()


@pytest.mark.slow
def test_what_changes_elsewhere_shows_by_itself(chromium: Any, desk: Desk) -> None:
    with served(desk) as site, person(chromium) as page:
        page.goto(f"{site}/")
        page.wait_for_selector("text=Nothing needs a hand")
        posts.add(desk, Draft(text="From elsewhere", to=("me",), draft=True))
        page.wait_for_selector(".card.draft >> text=From elsewhere")


@pytest.mark.slow
def test_signing_in_and_out(chromium: Any, desk: Desk) -> None:
    _, secret = tokens.add(desk, "alice", Scope.WRITE, None)

    async def nobody(request: Any) -> Any:
        raise unknown("nobody")

    with served(desk, nobody) as site, person(chromium) as page:
        page.goto(f"{site}/history")
        shot(page, "login")
        page.get_by_label("Service token").fill(str(secret.reveal()))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/history")
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Sign out alice").click()
        page.wait_for_url("**/login")
        page.goto(f"{site}/")
        assert "/login" in page.url


@pytest.mark.slow
def test_the_first_paint_is_quick_with_many_posts(chromium: Any, desk: Desk) -> None:
    with desk.database.read() as connection:
        (me,) = account_rows.every(connection)
    first = desk.now() + timedelta(hours=1)
    fill(desk, me, [first + timedelta(minutes=4 * n) for n in range(10_000)])
    with served(desk) as site, person(chromium) as page:
        for address in ("/", "/calendar", "/queue", "/history", "/accounts", "/compose"):
            page.goto(f"{site}{address}")
            paints = []
            for _ in range(5):
                page.reload()
                paints.append(painted(page))
            print(f"{address}: first paint after {min(paints):.0f} ms ({paints})")
            assert page.locator("h1").count() == 1
