"""The parts of README.md that are made from the program, and the picture at its top.

    python -m tests.readme      writes them anew

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. tests/test_readme.py fails
where one is not what the program says.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from postsched import platforms
from postsched.cli import scene
from postsched.cli.app import CHAPTERS, COMMANDS
from postsched.cli.platform_table import platform_documents
from postsched.cli.program import Program
from postsched.cli.scene import Scene
from postsched.domain.delivery import Delivery, DeliveryStatus, Role, Step
from postsched.domain.outcome import ErrorKind, Problem, Published
from postsched.domain.when import describe
from postsched.store.upcoming import Coming

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "examples" / "terminal.svg"
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
S = DeliveryStatus

LIFE = (
    (S.SCHEDULED, S.PUBLISHING, "its time has come", "claim"),
    (S.RETRYING, S.PUBLISHING, "its time has come", "claim"),
    (S.PUBLISHING, S.PUBLISHING, "a part is out, more to come", "step_out"),
    (S.PUBLISHING, S.PUBLISHED, "all is out", "step_out"),
    (S.PUBLISHING, S.FAILED, "refused, or no tries left", "refuse"),
    (S.PUBLISHING, S.RETRYING, "not now", "retry_later rate_limited let_go claim_ran_out"),
    (S.PUBLISHING, S.SCHEDULED, "stopped before it was sent", "let_go claim_ran_out"),
    (S.PUBLISHING, S.CONFIRMING, "the answer was lost", "lose claim_ran_out doubt step_out"),
    (S.PUBLISHING, S.UNCONFIRMED, "lost, and nobody to ask", "lose claim_ran_out doubt"),
    (
        S.CONFIRMING,
        S.CONFIRMING,
        "ask again",
        "claim_to_ask ask_again claim_ran_out doubt step_out",
    ),
    (S.CONFIRMING, S.PUBLISHED, "it is there", "step_out"),
    (S.CONFIRMING, S.PUBLISHING, "it is there, more to come", "step_out"),
    (S.CONFIRMING, S.RETRYING, "it is not there", "retry_later"),
    (S.CONFIRMING, S.FAILED, "not there, no tries left", "refuse"),
    (S.CONFIRMING, S.UNCONFIRMED, "the network can't tell", "give_to_person doubt"),
    (S.SCHEDULED, S.CONFIRMING, "put back from a copy: maybe out", "doubt"),
    (S.RETRYING, S.CONFIRMING, "put back from a copy: maybe out", "doubt"),
    (S.SCHEDULED, S.UNCONFIRMED, "the same, and nobody to ask", "doubt"),
    (S.RETRYING, S.UNCONFIRMED, "the same, and nobody to ask", "doubt"),
    (S.UNCONFIRMED, S.UNCONFIRMED, "the next part may be out", "resolve_published doubt"),
    (S.UNCONFIRMED, S.PUBLISHED, "resolve published", "resolve_published"),
    (S.UNCONFIRMED, S.SCHEDULED, "resolve absent", "resolve_absent resolve_published"),
    (S.SCHEDULED, S.MISSED, "past its grace", "miss"),
    (S.RETRYING, S.MISSED, "past its grace", "miss"),
    (S.SCHEDULED, S.CANCELLED, "cancel", "cancel"),
    (S.RETRYING, S.CANCELLED, "cancel", "cancel"),
    (S.FAILED, S.CANCELLED, "cancel", "cancel"),
    (S.MISSED, S.CANCELLED, "cancel", "cancel"),
    (S.FAILED, S.SCHEDULED, "retry", "retry"),
    (S.MISSED, S.SCHEDULED, "retry", "retry"),
    (S.CANCELLED, S.SCHEDULED, "retry", "retry"),
)
"""From, to, what happened, and the moves of `domain/moves.py` that do it."""


def life() -> str:
    """The state machine as a picture."""
    lines = [f"    {start} --> {end} : {words}" for start, end, words, _ in LIFE]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> scheduled", *lines, "```"])


def platform_table() -> str:
    """What each platform can do."""
    head = ("platform", "text", "counted in", "media", "alt text", "thread", "first comment",
            "a post goes out")  # fmt: skip
    rows = []
    for one in platform_documents(Program({})):
        if not type(platforms.get(one["name"])).__module__.startswith("postsched."):
            continue  # a plug-in that is installed here
        rows.append((
            one["title"], str(one["text_limit"] or "any"), one["counts"],
            str(one["media"] or "none"), _alt(one), "yes" if one["thread"] else "no",
            one["comment"] or "no", one["guarantee"],
        ))  # fmt: skip
    return table(head, rows)


def _alt(one: dict[str, object]) -> str:
    if not one["alt_text"]:
        return "no"
    return str(one["alt_limit"]) if one["alt_limit"] else "any"


def command_table() -> str:
    """Every command in a line."""
    rows = []
    for title, names in CHAPTERS.items():
        for index, name in enumerate(names.split()):
            rows.append((title if index == 0 else "", f"`{name}`", COMMANDS[name][1]))
    return table(("", "command", "does"), rows)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


PARTS: dict[str, Callable[[], str]] = {
    "life": life,
    "platforms": platform_table,
    "commands": command_table,
}


def page(text: str) -> str:
    """The README with its parts made anew."""
    return PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}\n{found[3]}", text)


# ---- the picture

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 13, 30, 2, tzinfo=UTC)
DUE = NOW.replace(second=0)
WIDTH = 108


def terminal() -> list[Text]:
    """An afternoon on a terminal, in the program's own words."""
    said = describe(DUE, DUE - timedelta(minutes=19), ZONE)
    up = "running with ~/.local/share/postsched/postsched.db (process 4711); Ctrl-C ends it"
    page, toot = (
        "file:///home/me/blog/index.html#20261127T133000Z",
        "https://mastodon.example/@me/115627",
    )
    lost = Problem(ErrorKind.TRANSIENT, "no connection to bsky.social")
    again = {"problem": lost, "next_at": NOW + timedelta(seconds=60)}
    week = "The week in pictures"
    waiting = [
        _coming(12, "sky", "We are live", 60, S.RETRYING),
        _coming(13, "me", "How it was built, in three parts", 13798),
        *[_coming(14, account, week, 239398) for account in ("blog", "me", "sky")],
    ]
    return [
        _typed(
            'postsched add "We are live" --to team --at "fri 14:30" --media cat.png --alt "A cat"'
        ),
        Text(f"Post 12: {said}, to blog, me, sky"),
        _typed("postsched run"),
        scene.log_line(DUE - timedelta(minutes=5), logging.INFO, up, ZONE),
        _event("published", "blog", **_out(page, 0.4)),
        _event("published", "me", **_out(toot, 1.8)),
        _event("retrying", "sky", NOW, **again),
        *scene.block(Scene(NOW, ZONE, WIDTH, waiting=waiting, beyond=21)),
    ]


def _event(word: str, account: str, at: datetime = DUE, **more: Any) -> Text:
    delivery = Delivery(
        1, 12, 1, account, "", DUE, DUE, **{"next_at": None, **more}, status=S(word)
    )
    return scene.event_line(at, word, delivery, ZONE)


def _out(address: str, milliseconds: float) -> dict[str, Any]:
    step = Step(Role.PART, 1, published=Published("1", address))
    return {"steps": (step,), "lateness": timedelta(milliseconds=milliseconds)}


def _coming(post: int, account: str, text: str, seconds: float, status: S = S.SCHEDULED) -> Coming:
    return Coming(NOW + timedelta(seconds=seconds), post, post, account, status, text)


def _typed(words: str) -> Text:
    return Text.assemble(("$ ", "dim"), (words, "bold"))


def picture() -> str:
    """The terminal as an SVG, without fonts from elsewhere."""
    console = Console(file=io.StringIO(), record=True, width=WIDTH, force_terminal=True,
                      color_system="truecolor", legacy_windows=False)  # fmt: skip
    for line in terminal():
        console.print(line, soft_wrap=False, overflow="ellipsis", no_wrap=True)
    svg = console.export_svg(title="postsched", unique_id="postsched")
    return re.sub(r"@font-face \{.*?\}\n\s*", "", svg, flags=re.DOTALL)


def words(svg: str) -> list[str]:
    """What is to be read in an SVG, whichever version of rich drew it."""
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return [text.replace("\xa0", " ").strip() for text in map(unescape, texts) if text.strip()]


def main() -> None:
    """Write everything anew."""
    README.write_text(page(README.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
