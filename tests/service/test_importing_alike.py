"""Rows that are known by their like are imported as if each had been judged in full."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from postsched.domain.account import Account, AccountState
from postsched.service import imports
from postsched.service.desk import Desk
from postsched.service.entries import Entry, Like, Waiting
from postsched.service.imports import Bad, Imported, Watch
from postsched.store import accounts
from postsched.testing import FakeClock
from postsched.transfer.exchange import Format, found, read
from postsched.transfer.keys import Alike, content_digest
from postsched.transfer.rows import Row, Unjudged
from tests.service.desk import desk_at

PLATFORMS = ("mastodon", "bluesky", "x", "threads", "linkedin", "telegram", "discord")
WORDS = (
    "Hello", "weather", "a.co", "sea.", "e.g.", "naïve", "—", "日本語", "🎉", "\u0958", "e\u0301",
    "\r\n", "*bold*", "_x_", "1\ufe0f\u20e3", "\U0001f469\u200d\U0001f467",
)  # fmt: skip
TRAPS = (
    "#tag", "#1", "@me", "@me@b.example", "https://a.example/x?y=1", "\n---\n", "{{date}}", "{{",
    "http://b.example", " ", "\ud800", "\0",
)  # fmt: skip
TIMES = (
    "2030-05-01T09:00:00Z", "2030-05-01 09:00", "2030-05-01T09:00:00.5+01:00", "2029-03-25T02:30",
    "2029-10-28 02:30:00", "2030-05-01T09:00:00.1234567Z", "2030-12-31T23:59:60Z",
    "2030-02-30T09:00", "2030-05-01T24:00", "2030-05-01", "tomorrow 9am", "2030-05-01T09:00+23:59",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00Z", "now", "2030-05-01T09:00-0100", "at noon",
    "\uff12030-05-01T09:00", " 2030-05-01T09:00 ", "2030-05-01t09:00z", "2026-11-25T12:00:00.25Z",
    "1999-01-01T09:00", "2030-05-01T09:00\0", "2030-05-01T09:00\ud800",
)  # fmt: skip
COMMON: dict[str, Sequence[Any]] = {
    "tz": ("Europe/Berlin", "UTC", "", None, "Nowhere/Land"),
    "title": ("A title",), "lang": ("en", "no language"), "tags": ("a, b", ["a"]),
    "visibility": ("public", "unlisted", "nobody"), "priority": (1, "1", True, 1.0, 0),
    "missed": ("late", "skip"), "grace": ("1h", "x"), "catch_up": ("all",),
    "draft": (True, False), "slot": (True,), "then": (["More"],), "comment": ("First",),
    "link": ("https://l.example",), "warning": ("Careful",), "jitter": ("5m",), "spread": ("1h",),
    "variants": ({"x": "Other"},), "vars": ({"a": "b"},), "media": ([],), "nonsense": (1,),
    "repeat": ("daily",), "texts": (["One"],),
}  # fmt: skip


def text_of(rng: Random) -> Any:
    """A text: short or near a limit, plain or not, or no text at all."""
    if rng.random() < 0.05:
        return rng.choice(["", " \n ", None, 5, ["x"]])
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 8))]
    if rng.random() < 0.3:
        words.append(rng.choice(TRAPS))
    text = " ".join(words)
    size = rng.choice([0, 0, 0, 140, 279, 280, 281, 299, 300, 301, 499, 500, 501, 3001, 10_001])
    return text + rng.choice("aé日🎉") * (size - len(text))


def record_of(rng: Random, names: Sequence[str]) -> dict[str, Any]:
    """A row as JSON has it."""
    record: dict[str, Any] = {
        "text": text_of(rng),
        "to": rng.choice([*names, "x,mastodon", names[:2]]),
    }
    record["at"] = rng.choice(TIMES[:3] * 5 + TIMES) if rng.random() < 0.97 else None
    for name in rng.sample(list(COMMON), rng.choice([0, 0, 0, 0, 0, 1, 1, 2])):
        record[name] = rng.choice(COMMON[name])
    if rng.random() < 0.2:
        record["key"] = rng.choice(["k1", "k2", "", " ", "k" * 201, "k\0", 5, f"{rng.random()}"])
    return record


def a_desk(folder: Path, clock: FakeClock) -> Any:
    """A desk with an account on each platform, named as that."""
    folder.mkdir()
    opened = desk_at(folder, clock)
    desk = opened.__enter__()
    with desk.database.write() as connection:
        for name in PLATFORMS:
            account = Account(0, name, name, name, clock.now(), state=AccountState.OK)
            accounts.insert(connection, account)
    return opened, desk


def imported(desk: Desk, rows: Iterable[Row | Unjudged]) -> tuple[Imported, list[Bad], list[str]]:
    """What an import came to, and what was said of it."""
    bad: list[Bad] = []
    said: list[str] = []
    done = imports.run(desk, [("f", rows)], Watch(bad.append, differs=said.append))
    return done, bad, said


def tables(desk: Desk) -> dict[str, list[Any]]:
    """All rows that belong to posts."""
    names = ("posts", "targets", "schedules", "media", "deliveries")
    with desk.database.read() as connection:
        return {
            name: sorted(map(tuple, connection.exec_driver_sql(f"SELECT * FROM {name}")), key=repr)
            for name in names
        }


def likes(monkeypatch: pytest.MonkeyPatch) -> list[Like]:
    """The entries that are cast in moulds from now on."""
    seen: list[Like] = []
    put = Waiting.put

    def watched(self: Waiting, entries: Sequence[Entry]) -> None:
        seen.extend(one for one in entries if isinstance(one, Like))
        put(self, entries)

    monkeypatch.setattr(Waiting, "put", watched)
    return seen


def _drawn(rng: Random, size: int) -> str:
    return rng.randbytes(size).hex()


MORE = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12)]


@pytest.mark.parametrize("seed", [1, *MORE])
def test_both_ways_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng, clock, alike = Random(seed), FakeClock(), likes(monkeypatch)
    records = [record_of(rng, PLATFORMS) for _ in range(600)]
    opened = []
    for turn in range(2):
        file = "".join(json.dumps(one) + "\n" for one in records).encode()
        came = []
        for way in (found, read):
            drawn = partial(_drawn, Random(turn))
            monkeypatch.setattr(secrets, "token_hex", drawn)  # uids, alike in both
            door, desk = a_desk(tmp_path / f"{turn}{way.__name__}", clock)
            opened.append(door)
            rows = way(file, Format.JSON_LINES, Path())
            came.append((imported(desk, rows), tables(desk)))
        assert came[0] == came[1]
        wrong = {one.row for one in came[0][0][1]}
        assert bool(wrong) == (turn == 0)
        records = [one for n, one in enumerate(records, 1) if n not in wrong]
    assert came[0][0][0].added > 150
    assert len(alike) > 60
    for door in opened:
        door.__exit__(None, None, None)


def test_most_rows_of_a_usual_file_are_known_by_their_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"Post number {n}: #weather by the sea 🎉,x,2030-05-01T09:00:00Z" for n in range(300)]
    file = "\n".join(["text,to,at", *lines]).encode()
    alike = likes(monkeypatch)
    opened, desk = a_desk(tmp_path / "desk", FakeClock())
    assert imported(desk, found(file, Format.CSV, Path()))[0].added == 300
    assert len(alike) > 280
    opened.__exit__(None, None, None)


def test_a_row_with_a_time_that_is_no_text_is_bad_like_any_other(tmp_path: Path) -> None:
    records = [{"text": f"No. {n}", "to": "x", "at": "2030-05-01T09:00"} for n in range(20)]
    records[15]["at"] += "\0"
    records[16]["at"] += "\ud800"
    opened, desk = a_desk(tmp_path / "desk", FakeClock())
    done, bad, _ = imported(desk, found(json.dumps(records).encode(), Format.JSON, Path()))
    assert (done.bad, [(one.row, one.field) for one in bad]) == (2, [(16, "at"), (17, "at")])
    opened.__exit__(None, None, None)


def test_the_digest_of_a_like_is_that_of_the_draft() -> None:
    rows: list[dict[str, Any]] = [
        {"text": "One", "to": "me", "at": "now"},
        {
            "text": "One", "to": "me", "at": "now", "callback": "c", "catch_up": "all", "key": "k",
            "variants": {"b": "1", "a": "2"}, "tags": ["z", "a"], "priority": 0, "comment": "é\n",
        },
    ]  # fmt: skip
    for record in rows:
        (row,) = read(json.dumps([record]).encode(), Format.JSON, Path())
        assert row.draft
        other = {**record, "text": 'Two "quoted" \u2028', "at": "2030-05-01T09:00"}
        (there,) = read(json.dumps([other]).encode(), Format.JSON, Path())
        assert there.draft
        assert Alike(row.draft).digest(other["at"], other["text"]) == content_digest(there.draft)
