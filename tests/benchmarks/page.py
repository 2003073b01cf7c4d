"""What the README shows of a run: its two tables and the picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import COLUMNS, HEADS, Figure, markdown, rows_of
from tests.benchmarks.picture import drawn

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PICTURE = ROOT / "examples" / "benchmarks.svg"
PLACE = re.compile(r"(<!-- benchmarks -->\n).*?(<!-- end of benchmarks -->)", re.DOTALL)


def renew(
    figures: Sequence[Figure], contenders: Mapping[str, Mapping[str, Any]], words: str
) -> None:
    """Write them anew, and those words under them."""
    PICTURE.write_text(drawn(contenders), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    tables = tables_of(figures, contenders)
    README.write_text(
        PLACE.sub(lambda found: f"{found[1]}{tables}\n\n{words}\n{found[2]}", text),
        encoding="utf-8",
    )


def tables_of(figures: Sequence[Figure], contenders: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures with their goals, and the contenders side by side, for the README."""
    heads = ["", *COLUMNS]
    side_by_side = markdown(heads, rows_of(contenders), range(1, len(heads)))
    told = markdown(HEADS, [figure.row() for figure in figures], (1, 2, 3))
    return f"{side_by_side}\n\n{told}"
