"""The values of a row: what each may be, and what is said of those that may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.transfer.exchange import Format, read
from postsched.transfer.record import FIELDS, NAMES
from tests.transfer.rows import good, one, said


def test_a_full_row() -> None:
    record = {
        "text": "a", "to": " me, work ,", "at": "fri 14:30", "tz": "Europe/Berlin",
        "priority": "-3",
        "media": [{"path": "a.png", "alt": "A"}, "b.png", "ftp://x/c.png", {"url": "http://y"}],
        "then": ["two", {"text": "three", "media": [{"path": "/abs.png"}]}], "tags": ["x ", "y,z"],
        "variants": {"work": "A", "me": ""}, "draft": "Yes", "comment": None,
        "grace": "", "slot": False, "on": [1, "last"], "every": "2", "from": "2026-12-01",
        "except": "2026-12-24, 2026-12-25", "texts": ["x", "y"], "vars": {"n": 3, "x": "y"},
    }  # fmt: skip
    (row,) = read(json.dumps(record).encode(), Format.JSON, Path("/base"))
    assert row.draft == Draft(
        text="a", to=("me", "work"), at="fri 14:30", tz="Europe/Berlin", priority=-3, draft=True,
        media=(
            DraftMedia("/base/a.png", alt="A"), DraftMedia("/base/b.png"),
            DraftMedia(url="ftp://x/c.png"), DraftMedia(url="http://y"),
        ),
        then=(DraftPart("two"), DraftPart("three", (DraftMedia("/abs.png"),))),
        tags=("x", "y,z"), variants={"work": "A"}, on=("1", "last"), every=2, from_="2026-12-01",
        except_=("2026-12-24", "2026-12-25"), texts=("x", "y"), vars={"n": "3", "x": "y"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": 3}, "must be text, not a number"),
        ({"title": True}, "must be text, not true or false"),
        ({"title": ["a"]}, "must be text, not a list"),
        ({"title": {"a": 1}}, "must be text, not an object"),
        ({"title": "a\0b"}, "has a character that no text may have (U+0000)"),
        ({"title": "a\ud800"}, "has a character that no text may have (U+D800)"),
        ({"tags": 3}, "must be a list, or text with commas"),
        ({"tags": [3]}, "must be text, not a number"),
        ({"media": "a.png"}, "must be a list of {path, alt} or {url, alt}"),
        ({"media": [3]}, "no. 1 is neither text nor an object"),
        ({"media": ["a", {"alt": "x"}]}, "no. 2 must have a path or a url"),
        ({"media": [{"path": "a", "url": "b"}]}, "no. 1 must have a path or a url"),
        ({"media": [{"path": "a", "atl": "b"}]},
         "no. 1 has 'atl', which is no known name. Did you mean alt?"),
        ({"media": [{"path": "a\0"}]}, "has a character that no text may have (U+0000)"),
        ({"then": "two"}, "must be a list of texts or of {text, media}"),
        ({"then": ["a", ""]}, "no. 2 is empty"),
        ({"then": [{"text": 3}]}, "no. 1: must be text, not a number"),
        ({"then": [{"txt": "a"}]}, "no. 1 has 'txt', which is no known name. Did you mean text?"),
        ({"variants": ["a"]}, "must be an object of account: text"),
        ({"variants": {"a": 3}}, "must be text, not a number"),
        ({"priority": "high"}, "must be a whole number"),
        ({"priority": 1.5}, "must be a whole number"),
        ({"priority": True}, "must be a whole number"),
        ({"priority": 2**31}, "must be a whole number"),
        ({"draft": "maybe"}, "must be true or false"),
        ({"draft": 2}, "must be true or false"),
        ({"tittle": "a"}, "is no known name. Did you mean title?"),
        ({"callback": ["https://a.example"]}, "must be text, not a list"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named(fields: dict[str, Any], message: str) -> None:
    assert one(fields) == (next(iter(fields)), message)


def test_the_names_are_those_of_the_interface() -> None:
    assert {FIELDS.get(name, name) for name in NAMES} == set(Draft.__slots__)
    interface = """
        text, to, at, tz, repeat, every, on, cron, rrule, except, from, until, count, slot, media,
        then, comment, link, title, variants, tags, visibility, warning, lang, missed, catch_up,
        grace, spread, jitter, texts, vars, callback, priority, key, draft
    """
    assert set(NAMES) == {name.strip() for name in interface.split(",")}


def test_what_is_missing() -> None:
    assert said("{}", "json") == [
        (1, 1, "text", "is missing"),
        (1, 1, "to", "is missing: name an account or group"),
        (1, 1, "at", "is missing: say when, or set draft to true"),
    ]
    assert good('{"to": "me", "draft": true, "media": ["a.png"]}', "json")


def test_every_fault_of_a_row_is_said() -> None:
    faults = said('[{"title": 3, "tags": 4, "x": 5}]', "json")
    assert [field for _, _, field, _ in faults] == ["title", "tags", "x"]
