"""What a person does on the page, in a real browser."""

from __future__ import annotations

import threading
from datetime import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from PIL import Image

from postsched.domain.draft import Draft
from postsched.domain.scope import Scope
from postsched.service import drafts, posts, slots, tokens
from postsched.service.desk import Desk
from postsched.web.auth import unknown
from tests.web.page import gallery
from tests.web.page.chromium import PATIENCE, person, said, served, shot
from tests.web.page.scene import troubled

pytestmark = pytest.mark.slow


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
        page.get_by_role("link", name="1", exact=True).click()
        page.wait_for_url("**/drafts")
        shot(page, "drafts-without-javascript")
        page.get_by_role("button", name="Discard").click()
        assert said(page) == f"Draft {made['pictured']} is discarded"
        assert page.locator("h1").inner_text() == "No drafts"
        page.goto(f"{site}/compose")
        page.get_by_label("me", exact=True).check()
        page.get_by_label("Text", exact=True).fill("Part one")
        page.get_by_role("button", name="Add a part").click()
        page.get_by_label("Part 2").fill("Part two")
        page.get_by_label("At", exact=True).fill("2031-06-01 10:00")
        page.get_by_role("button", name="Look at it").click()
        shot(page, "looked-at-without-javascript")
        assert page.locator(".preview .step").count() == 2
        page.get_by_role("button", name="Save as a draft").click()
        assert "is a draft" in said(page)
        page.goto(f"{site}/calendar?month=2031-05")
        page.locator("td:not(.outside) .entry[draggable] summary").first.click()
        page.locator("[open]").get_by_label("Move to").fill("2031-05-09T11:00")
        page.locator("[open] button", has_text="Move").click()
        assert "is moved" in said(page)
        context.close()


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


def test_what_changes_elsewhere_shows_by_itself(chromium: Any, desk: Desk) -> None:
    with served(desk) as site, person(chromium) as page:
        page.goto(f"{site}/")
        page.wait_for_selector("text=Nothing needs a hand")
        posts.add(desk, Draft(text="From elsewhere", to=("me",), draft=True))
        page.wait_for_selector(".card.draft >> text=From elsewhere")


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
        page.get_by_label("Service token").fill(str(secret.reveal()))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{site}/")
        page.goto(f"{site}/compose")
        page.get_by_label("Text", exact=True).fill("Half a thought")
        tokens.revoke(desk, "alice")
        page.get_by_label("me", exact=True).check()
        page.wait_for_selector("text=You are signed out")
        assert page.get_by_label("Text", exact=True).input_value() == "Half a thought"
        shot(page, "signed-out-while-writing")
