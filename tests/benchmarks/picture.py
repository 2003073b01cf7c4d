"""The picture of a run, as SVG: how late posts are, and how many a second go out.

    python -m tests.benchmarks.picture FILE.json FILE.svg      draws a run that was kept

Left, what share of the posts is at most so late, on a logarithmic scale; right, a bar for each
contender at each concurrency.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

WIDTH, HEIGHT = 960, 430
TOP, BOTTOM = 92, 366
LEFT, RIGHT = 62, 380
"""Where the curves are; their names stand to the right of them."""
BARS, WIDEST = 702, 198
"""Where bars begin, and how long the longest is."""
HEAD = 610
"""Where the words above the bars begin."""
INK, FAINT, GRID, GROUND = "#1f2328", "#59636e", "#e4e7eb", "#ffffff"
COLOURS = {
    "postsched": "#0969da",
    "bare loop": "#8c959f",
    "BullMQ": "#cf222e",
    "Celery": "#bf8700",
    "procrastinate": "#8250df",
    "APScheduler": "#1a7f37",
}
LINE = 15.0
"""Pixels from one line of text to the next."""
LEAST = 0.5
"""Milliseconds, below which lateness is not drawn apart."""


def drawn(contenders: Mapping[str, Mapping[str, Any]]) -> str:
    """The picture of what the contenders came to, `contenders` of the JSON of a run."""
    svg = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {HEIGHT}",
                     width=str(WIDTH), height=str(HEIGHT), role="img",
                     attrib={"font-family": "system-ui, sans-serif"})  # fmt: skip
    ET.SubElement(svg, "title").text = "Lateness and throughput of postsched and of others"
    _shape(svg, "rect", width=WIDTH, height=HEIGHT, rx=8, fill=GROUND, stroke=GRID)
    known = {name: contenders[name] for name in COLOURS if name in contenders}
    curves = {name: one["lateness"] for name, one in known.items() if one.get("lateness")}
    if curves:
        _curves(svg, curves)
    _bars(svg, known)
    return ET.tostring(svg, encoding="unicode") + "\n"


def _curves(svg: ET.Element, curves: Mapping[str, Sequence[float]]) -> None:
    _text(svg, 24, 34, "How late posts arrive", size=16, weight="600")
    _text(svg, 24, 54, "share of the posts, and how late they are at the most", fill=FAINT)
    most = max(max(curve) for curve in curves.values())
    decades = max(1, math.ceil(math.log10(most / LEAST)))
    scale = (BOTTOM - TOP) / decades

    def height(late: float) -> float:
        return BOTTOM - scale * math.log10(max(late, LEAST) / LEAST)

    for late, words in _marks(most):
        _shape(svg, "line", x1=LEFT, x2=RIGHT, y1=height(late), y2=height(late), stroke=GRID)
        _text(svg, LEFT - 8, height(late) + 4, words, fill=FAINT, anchor="end")
    for share in (0, 25, 50, 75, 100):
        x = LEFT + (RIGHT - LEFT) * share / 100
        _text(svg, x, BOTTOM + 20, f"{share} %", fill=FAINT, anchor="middle")
    ends: dict[str, float] = {}
    for name, curve in curves.items():
        points = [
            (LEFT + (RIGHT - LEFT) * n / (len(curve) - 1), height(late))
            for n, late in enumerate(curve)
        ]
        _shape(svg, "polyline", fill="none", stroke=COLOURS[name],
               points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
               **{"stroke-width": 3 if name == "postsched" else 2,
                  "stroke-linejoin": "round", **_dashes(name)})  # fmt: skip
        ends[name] = points[-1][1]
    for name, y in _apart(ends).items():
        _shape(svg, "circle", cx=RIGHT + 12, cy=y, r=4, fill=COLOURS[name])
        weight = "600" if name == "postsched" else "400"
        _text(svg, RIGHT + 21, y + 4, f"{name}, p50 {_ms(curves[name])}", weight=weight)


def _marks(most: float) -> list[tuple[float, str]]:
    """The lines of the scale: 1 ms, 10 ms and so on."""
    marks = [(1.0, "1 ms"), (10.0, "10 ms"), (100.0, "100 ms"), (1e3, "1 s"), (1e4, "10 s")]
    return [mark for mark in marks if mark[0] <= most]


def _ms(curve: Sequence[float]) -> str:
    late = curve[len(curve) // 2]
    return f"{late:.1f} ms" if late < 10 else f"{late:,.0f} ms"


def _apart(ends: Mapping[str, float]) -> dict[str, float]:
    """The same heights, a line apart at least, and all of them within the picture."""
    placed: dict[str, float] = {}
    below = -math.inf
    for name, y in sorted(ends.items(), key=lambda item: item[1]):
        placed[name] = below = max(y, below + LINE)
    beyond = max(0.0, below - BOTTOM)
    return {name: y - beyond for name, y in placed.items()}


def _bars(svg: ET.Element, contenders: Mapping[str, Mapping[str, Any]]) -> None:
    levels = (10, 50)
    rates = {
        level: {name: one[f"burst {level}"] for name, one in contenders.items()
                if f"burst {level}" in one}
        for level in levels
    }  # fmt: skip
    found = [rate for of_level in rates.values() for rate in of_level.values()]
    if not found:
        return
    _text(svg, HEAD, 34, "How many go out, due all at once", size=16, weight="600")
    _text(svg, HEAD, 54, "posts a second, each recorded durably", fill=FAINT)
    y = float(TOP)
    for level in levels:
        if rates[level]:
            _text(svg, HEAD, y, f"{level} requests at once", fill=FAINT)
            y += 10
        for name, rate in rates[level].items():
            _bar(svg, y, name, rate, WIDEST * rate / max(found))
            y += 19
        y += 24


def _bar(svg: ET.Element, y: float, name: str, rate: float, length: float) -> None:
    weight = "600" if name == "postsched" else "400"
    _text(svg, BARS - 8, y + 11, name, anchor="end", weight=weight)
    _shape(svg, "rect", x=BARS, y=y, width=max(2.0, length), height=14, rx=2, fill=COLOURS[name])
    _text(svg, BARS + max(2.0, length) + 6, y + 11, f"{rate:,.0f}", weight=weight)


def _dashes(name: str) -> dict[str, str]:
    """The floor is no contender: it is drawn dashed."""
    return {"stroke-dasharray": "5 4"} if name == "bare loop" else {}


def _shape(svg: ET.Element, kind: str, **attributes: Any) -> None:
    said = {
        name: f"{value:.1f}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
    ET.SubElement(svg, kind, said)


def _text(
    svg: ET.Element, x: float, y: float, words: str, *, fill: str = INK, anchor: str = "start",
    size: int = 12, weight: str = "400",
) -> None:  # fmt: skip
    attributes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "fill": fill, "text-anchor": anchor,
                  "font-size": str(size), "font-weight": weight}  # fmt: skip
    ET.SubElement(svg, "text", attributes).text = words


def main() -> None:
    """Draw a run that was kept as JSON."""
    source, target = map(Path, sys.argv[1:])
    target.write_text(drawn(json.loads(source.read_text())["contenders"]))


if __name__ == "__main__":
    main()
