"""What all accounts get, one frame each, with what is wrong and what is left out below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import PurePath
from zoneinfo import ZoneInfo

from rich.text import Text

from postsched.cli.looks.frame import Canvas, Frame, safe
from postsched.cli.looks.networks import look_of
from postsched.cli.looks.post import OVER, PostPage
from postsched.cli.screen import Screen, fold
from postsched.service.previewing import AccountPreview, Preview

USUAL, NARROWEST, WIDEST = 80, 30, 120
"""Columns: where there is no terminal, and the limits."""


def page(
    found: Preview, screen: Screen, now: datetime, zone: ZoneInfo, *, lines: bool = True
) -> str:
    """The whole page. `lines`: whether the encoding has lines to draw."""
    width = min(max(screen.width or USUAL, NARROWEST), WIDEST)
    canvas = Canvas(width, screen.colour, lines)
    pieces = [_panel(one, canvas) for one in found.accounts]
    return "\n".join([*pieces, *_end(found, screen, width, now, zone)])


def _panel(shown: AccountPreview, canvas: Canvas) -> str:
    look = look_of(shown.account.platform)
    frame = Frame(canvas, look.colour)
    verdict = Text("fits", "green") if shown.fits else Text("refused", OVER)
    frame.begin(Text(f"{shown.network} · {shown.account.name}", f"bold {look.colour}"), verdict)
    frame.put(PostPage(shown, look, canvas).lines())
    wishes = list(_wishes(shown))
    if wishes:
        frame.section()
        frame.put(Text(line, "dim") for wish in wishes for line in fold(wish, canvas.inner))
    begin = f"{shown.account.name} ({shown.network}): "
    for title, findings, sign, style in (
        ("left out or done differently", shown.dropped, "• ", "yellow"),
        ("refused", shown.findings, "✗ ", OVER),
    ):
        if findings:
            frame.section(title)
            sentences = [_short(one.message.removeprefix(begin), shown) for one in findings]
            frame.put(_listed(sentences, sign, style, canvas.inner))
    frame.end()
    return frame.drawn()


def _wishes(shown: AccountPreview) -> Iterator[str]:
    """What was wished and is not seen in the post itself."""
    if shown.visibility:
        called = look_of(shown.account.platform).readers.get(shown.visibility, shown.visibility)
        yield f"visibility: {called}"
    if shown.lang:
        yield f"language: {shown.lang}"


def _short(sentence: str, shown: AccountPreview) -> str:
    """The sentence with the names of files in place of their paths."""
    for step in shown.steps:
        for one in step.media:
            if one.media.path:
                sentence = sentence.replace(one.media.path, PurePath(one.media.path).name)
    return sentence


def _listed(sentences: Iterable[str], sign: str, style: str, room: int) -> Iterator[Text]:
    for sentence in sentences:
        for n, line in enumerate(fold(safe(sentence).replace("\n", " "), room - 2)):
            yield Text.assemble((sign if n == 0 else "  ", style), line)


def _end(
    found: Preview, screen: Screen, width: int, now: datetime, zone: ZoneInfo
) -> Iterator[str]:
    """When it would go out, and the labels that are not sent."""
    from postsched.domain.when import describe
    from postsched.domain.zones import zone_named

    words = list(found.notes)
    if found.at is not None:
        words.append(f"goes out {describe(found.at, now, zone_named(found.tz))}")
    if found.tags:
        words.append(f"your labels, which are not sent: {', '.join(found.tags)}")
    for sentence in words:
        for line in fold(safe(sentence), width):
            yield screen.paint(line, "dim")
