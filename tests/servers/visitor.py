"""A person at a browser without a screen: logs in and consents, or cancels.

    BROWSER='python -m tests.servers.visitor [--cancel] [--chromium] %s'

What the last page says goes to the file VISITOR_PAGE, if that variable is set.
"""

from __future__ import annotations

import argparse
import html
import os
import re
from pathlib import Path

import httpx

STEPS = 20
"""Pages and redirects before a login counts as lost."""
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def visit(url: str, *, cancel: bool = False, until: str | None = None) -> tuple[str, str]:
    """Follow a login over plain HTTP to its last page, or to an address with `until` in it,
    which is then not visited. The address, and the page's text."""
    with httpx.Client(trust_env=False, timeout=60) as http:
        response = http.get(url)
        for _ in range(STEPS):
            if response.is_redirect:
                there = str(response.url.join(response.headers["location"]))
                if until is not None and until in there:
                    return there, ""
                response = http.get(there)
            elif cancel and (link := re.search(r'href="([^"]*/abort)"', response.text)):
                response = http.get(response.url.join(link[1]))
            elif form := re.search(r'<form[^>]* action="([^"]+)"', response.text):
                fields = dict(re.findall(r'name="(\w+)" value="(\w+)"', response.text))
                if 'name="login"' in response.text:
                    fields |= {"login": "alice", "password": "any"}
                response = http.post(html.unescape(form[1]), data=fields)
            else:
                return str(response.url), response.text
    raise AssertionError(f"the login does not end: {response.url}")


def visit_with_chromium(url: str, *, cancel: bool = False) -> tuple[str, str]:
    """The same with a real browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page()
        page.goto(url)
        if cancel:
            page.click('a[href$="/abort"]')
        else:
            page.fill('input[name="login"]', "alice")
            page.fill('input[name="password"]', "any")
            page.click('button[type="submit"]')
            page.wait_for_selector('input[value="consent"]', state="attached")
            page.click('button[type="submit"]')
        page.wait_for_url("**/callback**")
        page.wait_for_selector("h1")
        seen = page.url, page.inner_text("body")
        browser.close()
    return seen


def main() -> None:
    """Be the browser."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.visitor")
    parser.add_argument("url")
    parser.add_argument("--cancel", action="store_true")
    parser.add_argument("--chromium", action="store_true")
    given = parser.parse_args()
    go = visit_with_chromium if given.chromium else visit
    _, text = go(given.url, cancel=given.cancel)
    if place := os.environ.get("VISITOR_PAGE"):
        Path(place).write_text(text)


if __name__ == "__main__":
    main()
