"""What the README shows of the parts that were measured: its tables and the picture."""

from __future__ import annotations

import re
from pathlib import Path

from tests.benchmarks.figures import (
    COLUMNS,
    HEADS,
    MACHINE,
    machine_rows,
    markdown,
    row_of,
    rows_of,
)
from tests.benchmarks.picture import drawn
from tests.benchmarks.record import Record

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PICTURE = ROOT / "examples" / "benchmarks.svg"
KEPT = ROOT / "examples" / "benchmarks.json"
PLACE = re.compile(r"(<!-- benchmarks -->\n).*?(<!-- end of benchmarks -->)", re.DOTALL)


def renew(record: Record) -> None:
    """Write them anew, and keep what they are made of."""
    record.write(KEPT)
    PICTURE.write_text(drawn(record.contenders), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    told = f"{tables_of(record)}\n\n{record.where()}"
    README.write_text(
        PLACE.sub(lambda found: f"{found[1]}{told}\n{found[2]}", text), encoding="utf-8"
    )


def tables_of(record: Record) -> str:
    """The contenders side by side, the figures with their goals, and the machine, for the
    README."""
    heads = ["", *COLUMNS]
    side_by_side = markdown(heads, rows_of(record.contenders), range(1, len(heads)))
    told = markdown(HEADS, [row_of(figure) for figure in record.figures], (1, 2, 3))
    heads = ["the machine during", "UTC", "in", "rounds", "seed", *MACHINE]
    machines = machine_rows(record.machines)
    rows = [[*when, *row[1:]] for when, row in zip(record.when(), machines, strict=True)]
    machine = markdown(heads, rows, range(2, len(heads)))
    return f"{side_by_side}\n\n{told}\n\n{machine}"
