"""The pictures of the page that the README shows.

python -m tests.web.page.pictures      makes them anew, in examples/
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind, Problem
from postsched.service import posts
from postsched.service.desk import Desk
from postsched.store.tables import workers
from tests.benchmarks.setting import desk
from tests.web.page import gallery
from tests.web.page.chromium import served, started

EXAMPLES = Path(__file__).parents[3] / "examples"
NOW = datetime(2026, 12, 9, 8, 20, tzinfo=UTC)
BERLIN = "Europe/Berlin"
WIDTH, COLOURS = 1000, 256
PICTURES = {"page-now.png": ("/", 800), "page-calendar.png": ("/calendar", 840)}
"""Where each is taken, and how high it is."""
S = DeliveryStatus
SERIES: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("Good morning. The kettle is on.", ("studio",), {"repeat": "weekly", "on": ("mon", "wed")}),
    ("One letter of the alphabet, one page: R", ("studio", "berlin"),
     {"repeat": "weekly", "on": ("tue",), "at": "12:30"}),
    ("Open studio tonight, six to nine", ("studio", "news"),
     {"repeat": "weekly", "on": ("thu",), "at": "17:00"}),
)  # fmt: skip
ONCE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("2026-12-09 18:00", "Doors open at seven. Bring a chair.", ("studio", "berlin")),
    ("2026-12-12 10:00", "The new issue is out: twelve pages on paper", ("studio", "news")),
    ("2026-12-12 15:30", "What it looks like on the press", ("berlin",)),
    ("2026-12-15 09:15", "We have moved: the yard behind number nine", ("news", "berlin")),
    ("2026-12-18 11:00", "Last day for orders before the holidays", ("studio", "news", "berlin")),
    ("2026-12-22 20:00", "A song for the longest night", ("studio",)),
    ("2026-12-24 10:00", "Closed until the fourth. Sleep well.", ("studio", "news", "berlin")),
)  # fmt: skip
OVER: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (8, "A thank you to everyone who wrote", ("studio",)), (6, "Proofs are drying", ("berlin",)),
    (5, "Found in a drawer: wood type", ("studio", "news")), (2, "Ink, two kinds", ("berlin",)),
    (1, "Paper came. All of it.", ("studio",)),
)  # fmt: skip


def main() -> None:
    """Make them."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as home:
        at = replace(desk(Path(home)), now=lambda: NOW, zone=ZoneInfo(BERLIN))
        _fill(at)
        with served(at) as site, started() as browser:
            for name, (address, height) in PICTURES.items():
                page = browser.new_page(
                    viewport={"width": WIDTH, "height": height}, color_scheme="light"
                )
                page.goto(f"{site}{address}")
                picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                small = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
                small.save(EXAMPLES / name, optimize=True)
        at.database.close()


def _fill(at: Desk) -> None:
    """A few weeks of a small press."""
    for name, platform in (("studio", "mastodon"), ("berlin", "bluesky"), ("news", "mastodon")):
        url = f"https://{name}.example" if platform == "mastodon" else None
        ends = {"token_expires_at": NOW + timedelta(days=3)} if name == "berlin" else {}
        gallery.account(at, name, platform, url, **ends)
    for days, words, to in OVER:
        number = gallery.add(at, words, *to, at="in 1 hour")
        gallery.settle(at, number, S.PUBLISHED, timedelta(days=days, minutes=-47 * days))
    for words, to, more in SERIES:
        gallery.add(at, words, *to, **({"at": "09:00", "tz": BERLIN} | more))
    for when, words, to in ONCE:
        gallery.add(at, words, *to, at=when)
    lost = Problem(ErrorKind.UNCONFIRMED, "the connection broke after the post was sent")
    number = gallery.add(at, "Tomorrow we print the last sheet", "news", at="in 1 hour")
    ago = timedelta(minutes=35)
    gallery.settle(at, number, S.UNCONFIRMED, ago, problem=lost, sent_at=NOW - ago, attempts=1)
    long = Problem(ErrorKind.INVALID, "Bluesky takes 300 characters, and this has 318",
                   hint="Shorten it, then send it again")  # fmt: skip
    number = gallery.add(at, "Everything that we know about the letter Q, in one post and not a "
                         "word too many", "berlin", at="in 1 hour")  # fmt: skip
    gallery.settle(at, number, S.FAILED, timedelta(hours=2), problem=long, attempts=1)
    words = "Who reads this, and where? Tell us, and we send you a postcard."
    draft = replace(gallery.draft(words, "studio", "news"), at="2026-12-11 16:00")
    posts.add(at, draft, author="token:assistant")
    with at.database.write() as connection:  # something runs, on another machine
        row = {"host": "press", "boot": "another", "pid": 1, "kind": "run", "mark": "press-1",
               "since": NOW - timedelta(days=9), "seen_at": NOW}  # fmt: skip
        connection.execute(workers.insert(), row)


if __name__ == "__main__":
    main()
