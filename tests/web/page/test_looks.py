"""How every page and state looks in a real browser, to all who may look: light and dark, on a desk
and on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from postsched.domain.scope import Scope
from postsched.service import posts, tokens
from postsched.service.desk import Desk
from postsched.testing.picture import png
from postsched.web.auth import Principal, unknown
from tests.web.page import gallery
from tests.web.page.chromium import expect_usable, painted, person, served, shot
from tests.web.page.states import FIXED, STATES, full

pytestmark = pytest.mark.slow
BOTH = [("light", 1200), ("dark", 360)]
"""The two manners of looking that show most."""
MANNERS = [*BOTH, ("light", 360), ("dark", 1200), ("light", 800)]
HIDDEN = """() => {
  const one = document.activeElement, bar = document.querySelector(".finish");
  if (!one || one === document.body || bar.contains(one)) return null;
  const box = one.getBoundingClientRect(), over = bar.getBoundingClientRect();
  const under = box.top >= over.top && box.bottom <= over.bottom;
  const away = box.bottom <= 0 || box.top >= innerHeight;
  return under || away ? one.outerHTML.slice(0, 200) : null;
}"""
"""What has the focus and can't be seen at all (WCAG 2.2, 2.4.11)."""
LONG = "A thread that somebody has pasted in one piece, and goes on for long. " * 40


def manner(scheme: str, width: int) -> dict[str, Any]:
    """How somebody looks."""
    return {"color_scheme": scheme, "bypass_csp": True,
            "viewport": {"width": width, "height": 800}}  # fmt: skip


def named(state: str, address: str, scheme: str, width: int) -> str:
    """The name of a picture."""
    return f"{state}-{re.sub(r'[/?=&]', '_', address)}-{scheme}-{width}"


@pytest.mark.parametrize(("scheme", "width"), MANNERS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_looks_right(
    chromium: Any, desk: Desk, state: str, scheme: str, width: int
) -> None:
    addresses = STATES[state](desk)
    with served(desk) as site, person(chromium, **manner(scheme, width)) as page:
        for address in addresses:
            page.goto(f"{site}{address}")
            shot(page, named(state, address, scheme, width))
            expect_usable(page, width)
            for summary in page.locator("td:not(.outside) summary").all()[:1]:
                summary.click()
                shot(page, named(state, f"{address}-open", scheme, width))
                expect_usable(page, width)


@pytest.mark.parametrize(("scheme", "width"), BOTH)
def test_what_is_wrong_in_the_composer(
    chromium: Any, desk: Desk, tmp_path: Path, scheme: str, width: int
) -> None:
    file = tmp_path / "cat.png"
    file.write_bytes(png(64, 48))
    gallery.account(desk, "studio", "mastodon", "https://mastodon.example")
    gallery.account(desk, "berlin.example", "bluesky")
    stale = gallery.add(desk, "As it was", "studio", at="in 2 days")
    wrong = {"text": "Hello", "at": "2031-05-01 10:00"}
    cases = {
        "no-account": ({}, []), "bad-time": ({"at": "on the 31st of November"}, ["studio"]),
        "past": ({"at": "yesterday 9am"}, ["studio"]), "no-text": ({"text": ""}, ["studio"]),
        "too-long": ({"text": LONG}, ["studio", "berlin.example"]),
    }  # fmt: skip
    with served(desk) as site, person(chromium, **manner(scheme, width)) as page:
        for case, (fields, to) in cases.items():
            page.goto(f"{site}/compose")
            for name in to:
                page.get_by_label(name, exact=True).check()
            for name, words in {**wrong, **fields}.items():
                page.locator(f"[name={name}]").fill(words)
            if to:
                page.wait_for_selector("#look .preview, #look .fault")
            shot(page, named("fault", f"{case}-look", scheme, width))
            page.get_by_role("button", name="Schedule").click()
            page.wait_for_selector("form [name=word]", state="attached")
            shot(page, named("fault", case, scheme, width))
            expect_usable(page, width)
        page.goto(f"{site}/compose")
        page.get_by_label("studio", exact=True).check()
        page.set_input_files("#file", str(file))
        page.get_by_label("Alt text of cat.png").fill(LONG)
        page.wait_for_selector("#look .reason")
        shot(page, named("fault", "bad-alt-look", scheme, width))
        page.set_input_files("#file", str(Path(__file__)))
        page.wait_for_selector("#look .reason >> text=unknown type")
        shot(page, named("fault", "no-picture", scheme, width))
        expect_usable(page, width)
        page.get_by_label("How often").select_option("weekly")
        page.locator("summary", has_text="Repeats").click()
        page.get_by_label("Every", exact=True).fill("now and then")
        page.set_input_files("#file", str(file))
        page.wait_for_selector(".fault[role=alert]")
        shot(page, named("fault", "upload", scheme, width))
        expect_usable(page, width)
        page.goto(f"{site}/compose?post={stale}")
        with desk.database.write() as connection:
            connection.exec_driver_sql(f"UPDATE posts SET text = 'Other' WHERE id = {stale}")
        page.locator("[name=text]").fill("As I have it")
        page.get_by_role("button", name="Save").click()
        page.wait_for_selector(".fault")
        shot(page, named("fault", "stale", scheme, width))
        expect_usable(page, width)


@pytest.mark.parametrize(("scheme", "width"), BOTH)
def test_who_may_not_do_all(chromium: Any, desk: Desk, scheme: str, width: int) -> None:
    made = gallery.crowded(desk)
    who = Principal("token:agent", Scope.DRAFT)
    own = posts.add(desk, gallery.draft("A draft of its own", "studio"), author=who.author)

    async def authenticate(request: Any) -> Any:
        raise unknown("nobody")

    with served(desk, authenticate) as site, person(chromium, **manner(scheme, width)) as page:
        page.goto(f"{site}/calendar")
        shot(page, named("signed", "out", scheme, width))
        page.get_by_label("Service token").fill("pst_guess")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector(".fault")
        shot(page, named("signed", "refused", scheme, width))
        expect_usable(page, width)
        for name, scope in (("alice", Scope.READ), ("agent", Scope.DRAFT)):
            _, secret = tokens.add(desk, name, scope, None)
            page.goto(f"{site}/login")
            page.get_by_label("Service token").fill(str(secret.reveal()))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{site}/")
            for address in (*FIXED[:-1], f"/posts/{own.id}", f"/posts/{made['series']}"):
                page.goto(f"{site}{address}")
                shot(page, named(scope.value, address, scheme, width))
                expect_usable(page, width)
            page.get_by_role("button", name="Sign out").click()
            page.wait_for_url("**/login")
        shot(page, named("signed", "off", scheme, width))


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


def test_the_first_paint_is_quick_with_many_posts(chromium: Any, desk: Desk) -> None:
    addresses = full(desk)
    with served(desk) as site, person(chromium) as page:
        for address in addresses:
            page.goto(f"{site}{address}")
            paints = []
            for _ in range(5):
                page.reload()
                paints.append(painted(page))
            print(f"{address}: first paint after {min(paints):.0f} ms ({paints})")
            assert page.locator("h1").count() == 1
