"""The picture of what was measured, as SVG: how late posts are, and how many a second go out while
so many more are waiting.

    python -m tests.benchmarks.picture FILE.json FILE.svg      draws a run that was kept

Left, what share of the posts is at most so late; right, posts a second over the number of those
that wait. Lateness, rates and backlog on logarithmic scales. On a dark page its colours are those
of a dark page.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from tests.benchmarks.record import Record

WIDTH, HEIGHT = 960, 430
TOP, BOTTOM = 84, 366
LATE = (62, 322)
RATE = (568, 800)
"""From where to where, from left to right, the curves are; their names stand to the right."""
TONES = {
    "ink": ("#1f2328", "#e6edf3"),
    "faint": ("#59636e", "#9198a1"),
    "grid": ("#e4e7eb", "#30363d"),
    "ground": ("#ffffff", "#0d1117"),
}
COLOURS = {
    "postsched": ("#0969da", "#4493f8"),
    "bare loop": ("#7d8590", "#9198a1"),
    "BullMQ": ("#cf222e", "#f85149"),
    "Celery": ("#bf8700", "#d29922"),
    "procrastinate": ("#8250df", "#ab7df8"),
    "APScheduler": ("#1a7f37", "#3fb950"),
}
"""On a light page and on a dark one."""
LINE = 16.0
"""Pixels from one line of text to the next."""
LEAST = 0.5
"""Milliseconds, below which lateness is not drawn apart."""
Curve = Sequence[tuple[float, float]]


def drawn(contenders: Mapping[str, Mapping[str, Any]]) -> str:
    """The picture of what the contenders came to, as `Record.contenders` has it."""
    svg = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {HEIGHT}",
                     width=str(WIDTH), height=str(HEIGHT), role="img",
                     attrib={"font-family": "system-ui, sans-serif"})  # fmt: skip
    ET.SubElement(svg, "title").text = "Lateness and throughput of postsched and of others"
    ET.SubElement(svg, "style").text = _styles()
    ground = _shape(svg, "rect", width=WIDTH, height=HEIGHT, rx=8)
    ground.set("class", "ground-fill grid-stroke")
    known = {name: contenders[name] for name in COLOURS if name in contenders}
    _lateness(svg, {name: one["lateness"] for name, one in known.items() if one.get("lateness")})
    over = {name: dict(one["over"]) for name, one in known.items() if one.get("over")}
    _throughput(svg, {name: {int(n): rate for n, rate in of_it.items()}
                      for name, of_it in over.items()})  # fmt: skip
    return ET.tostring(svg, encoding="unicode") + "\n"


def _styles() -> str:
    """A class for what is filled and what is lined, in each tone; again for dark pages."""
    tones = TONES | {_class(name): pair for name, pair in COLOURS.items()}

    def classes(which: int) -> str:
        return "".join(
            f".{name}-fill{{fill:{pair[which]}}}.{name}-stroke{{stroke:{pair[which]}}}"
            for name, pair in tones.items()
        )

    return f"{classes(0)}@media (prefers-color-scheme: dark){{{classes(1)}}}"


def _lateness(svg: ET.Element, curves: Mapping[str, Sequence[float]]) -> None:
    if not curves:
        return
    left, right = LATE
    _head(svg, 24, "How late posts arrive", "share of the posts, and how late they are at the most")
    height = _scale(LEAST, max(max(curve) for curve in curves.values()), BOTTOM, TOP)
    for late, words in _decades(1.0, max(max(curve) for curve in curves.values())):
        _level(svg, LATE, height(late), f"{late / 1e3:.0f} s" if late >= 1e3 else f"{words} ms")
    for share in (0, 25, 50, 75, 100):
        x = left + (right - left) * share / 100
        _text(svg, x, BOTTOM + 20, f"{share} %", "faint", anchor="middle")
    lines = {
        name: [
            (left + (right - left) * n / (len(curve) - 1), height(late))
            for n, late in enumerate(curve)
        ]
        for name, curve in curves.items()
    }
    _curves(svg, lines, {name: f"{name}, p50 {_ms(curve)}" for name, curve in curves.items()})


def _throughput(svg: ET.Element, over: Mapping[str, Mapping[int, float]]) -> None:
    if not over:
        return
    _head(svg, RATE[0] - 44, "How many go out a second, over a backlog",
          "due all at once, 10 at a time; below, how many more are waiting")  # fmt: skip
    rates = [rate for of_it in over.values() for rate in of_it.values()]
    backlogs = sorted({waiting for of_it in over.values() for waiting in of_it})
    height = _scale(min(rates) * 0.8, max(rates) * 1.1, BOTTOM, TOP)
    place = _scale(backlogs[0], backlogs[-1], *RATE)
    for rate, words in _decades(min(rates) * 0.8, max(rates) * 1.1):
        _level(svg, RATE, height(rate), words)
    for waiting in backlogs:
        _text(svg, place(waiting), BOTTOM + 20, f"{waiting:,}", "faint", anchor="middle")
    lines = {
        name: [(place(waiting), height(rate)) for waiting, rate in sorted(of_it.items())]
        for name, of_it in over.items()
    }
    last = {name: of_it[max(of_it)] for name, of_it in over.items()}
    _curves(svg, lines, {name: f"{name}, {rate:,.0f}" for name, rate in last.items()}, dots=True)


def _scale(least: float, most: float, start: float, end: float) -> Callable[[float], float]:
    """A logarithmic scale: where between `start` and `end` a value is."""
    decades = math.log10(most / least) if most > least else 1.0
    return lambda value: start + (end - start) * math.log10(max(value, least) / least) / decades


def _decades(least: float, most: float) -> Iterator[tuple[float, str]]:
    """1, 10, 100 and so on, as far as they are in between."""
    for power in range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1):
        yield 10.0**power, f"{10.0**power:,.0f}"


def _level(svg: ET.Element, span: tuple[int, int], y: float, words: str) -> None:
    line = _shape(svg, "line", x1=span[0], x2=span[1], y1=y, y2=y)
    line.set("class", "grid-stroke")
    _text(svg, span[0] - 8, y + 4, words, "faint", anchor="end")


def _curves(
    svg: ET.Element, lines: Mapping[str, Curve], words: Mapping[str, str], dots: bool = False
) -> None:
    """The floor is no contender: it is drawn dashed, and ours over all others."""
    for name in sorted(lines, key=lambda one: one == "postsched"):
        points = lines[name]
        curve = _shape(svg, "polyline", fill="none",
                       points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
                       **{"stroke-width": 3 if name == "postsched" else 2,
                          "stroke-linejoin": "round"})  # fmt: skip
        curve.set("class", f"{_class(name)}-stroke")
        if name == "bare loop":
            curve.set("stroke-dasharray", "5 4")
        for x, y in points if dots else ():
            _shape(svg, "circle", cx=x, cy=y, r=3).set("class", f"{_class(name)}-fill")
    names_at = max(x for points in lines.values() for x, _ in points) + 12
    for name, y in _apart({name: points[-1][1] for name, points in lines.items()}).items():
        _shape(svg, "circle", cx=names_at, cy=y, r=4).set("class", f"{_class(name)}-fill")
        weight = "600" if name == "postsched" else "400"
        _text(svg, names_at + 9, y + 4, words[name], weight=weight)


def _apart(ends: Mapping[str, float]) -> dict[str, float]:
    """The same heights, a line apart at least, and all of them within the picture."""
    placed: dict[str, float] = {}
    below = -math.inf
    for name, y in sorted(ends.items(), key=lambda item: item[1]):
        placed[name] = below = max(y, below + LINE)
    beyond = max(0.0, below - BOTTOM)
    return {name: y - beyond for name, y in placed.items()}


def _ms(curve: Sequence[float]) -> str:
    late = curve[len(curve) // 2]
    return f"{late:.1f} ms" if late < 10 else f"{late:,.0f} ms"


def _class(name: str) -> str:
    return name.lower().replace(" ", "-")


def _head(svg: ET.Element, x: float, title: str, words: str) -> None:
    _text(svg, x, 34, title, size=16, weight="600")
    _text(svg, x, 54, words, "faint")


def _shape(svg: ET.Element, kind: str, **attributes: Any) -> ET.Element:
    said = {
        name: f"{value:.1f}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
    return ET.SubElement(svg, kind, said)


def _text(
    svg: ET.Element, x: float, y: float, words: str, tone: str = "ink", *, anchor: str = "start",
    size: int = 12, weight: str = "400",
) -> None:  # fmt: skip
    attributes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "class": f"{tone}-fill", "text-anchor": anchor,
                  "font-size": str(size), "font-weight": weight}  # fmt: skip
    ET.SubElement(svg, "text", attributes).text = words


def main() -> None:
    """Draw a run that was kept as JSON."""
    source, target = map(Path, sys.argv[1:])
    target.write_text(drawn(Record.read(source).contenders))


if __name__ == "__main__":
    main()
