"""export: what it writes, where, and that importing it elsewhere gives the same and sends nothing
twice."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from postsched.testing.picture import png
from tests.cli.posting import Posting
from tests.servers import postgres

LATER = "2030-05-01 09:00"
FORMATS = ("json", "jsonl", "csv", "md")


@pytest.fixture
def full(cli: Posting, tmp_path: Path) -> Posting:
    """Two posts that use everything, to me and work."""
    cli.account("work")
    picture = tmp_path / "my cat.png"
    picture.write_bytes(png())
    cli(
        "add", 'Hello, "world"; a|b\n---\nsecond', "--to", "me,work", "--at", LATER, "--tz",
        "Europe/Berlin", "--media", str(picture), "--alt", "A | cat", "--then", "third",
        "--comment", "c", "--link", "https://example.org", "--title", "t", "--for", "work=Hi",
        "--tag", "a,b", "--visibility", "direct", "--warning", "w", "--lang", "de", "--missed",
        "late", "--grace", "90m", "--priority", "7", "--key", "k",
    )  # fmt: skip
    cli("add", "plain", "--to", "me", "--at", LATER)
    return cli


def settle_elsewhere(cli: Posting, name: str = "other") -> str:
    """Another database with the same accounts; commands go there now."""
    path = cli.call.home / name / "posts.db"
    place = postgres.place(path)
    cli.call.set(POSTSCHED_DB=place, POSTSCHED_MEDIA_DIR=str(path.parent / "media"))
    cli.call.database = path
    cli.account("me")
    cli.account("work")
    return place


def comparable(post: dict[str, Any]) -> dict[str, Any]:
    """A post without what belongs to its database."""
    kept = {name: post[name] for name in post.keys() - {"created_at", "updated_at", "key"}}
    kept["media"] = [{**medium, "path": None} for medium in post["media"]]
    kept["parts"] = [
        {**part, "media": [{**medium, "path": None} for medium in part["media"]]}
        for part in post["parts"]
    ]
    return kept


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_export_is_the_same_in_another_database(full: Posting, tmp_path: Path, fmt: str) -> None:
    before = [full.json("show", number) for number in ("1", "2")]
    target = tmp_path / ("posts" if fmt == "md" else f"posts.{fmt}")
    where = f"{target}/" if fmt == "md" else str(target)
    full("export", "--output", where)
    files = sorted(map(str, target.iterdir())) if fmt == "md" else [str(target)]
    settle_elsewhere(full)
    assert full.json("import", *files)["ids"] == [1, 2]
    after = [full.json("show", number) for number in ("1", "2")]
    assert list(map(comparable, after)) == list(map(comparable, before))
    assert full.json("import", *files)["known"] == 2
    kept = (full.call.database.parent / "media").rglob("*")
    assert [path.read_bytes() for path in kept if path.is_file()] == [png()]


def test_formats_and_names(full: Posting, tmp_path: Path) -> None:
    rows = json.loads(full("export").out)
    assert [row["text"] for row in rows] == ['Hello, "world"; a|b\n---\nsecond', "plain"]
    assert rows == json.loads(full("export", "--json").out)
    assert rows == list(map(json.loads, full("export", "--format", "jsonl").out.splitlines()))
    full("export", "-o", str(tmp_path / "x.csv"))
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert [row["to"] for row in cells] == ["me,work", "me"]
    assert cells[0]["variant:work"] == "Hi"
    assert full("export", "2", "--format", "md").out.endswith("---\n\nplain\n")
    full("export", "-o", str(tmp_path / "x.data"), "--format", "json")
    assert json.loads((tmp_path / "x.data").read_text()) == rows


def test_the_chosen_ones(full: Posting) -> None:
    def exported(*words: str) -> list[str]:
        return [row["text"][:5] for row in json.loads(full("export", *words).out)]

    full("cancel", "2")
    assert exported("2") == ["plain"]
    assert exported("2", "1", "2") == ["plain", "Hello"]
    assert exported("--status", "scheduled") == ["Hello"]
    assert exported("--account", "work") == ["Hello"]
    assert exported("--tag", "a") == ["Hello"]
    assert exported("--search", "plain") == ["plain"]
    assert exported("--from", "2031-01-01") == []
    assert exported("--until", "2030-05-01") == ["Hello", "plain"]
    assert full("export", "--tag", "none").out == "[]\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["7"], 3, "there is no post 7"),
        (["1", "--status", "draft"], 2, "Give one of them"),
        (["--status", "finished"], 2, "no status"),
        (["--account", "who"], 3, "'who'"),
        (["--format", "xml"], 2, "no format 'xml'"),
        (["-o", "posts.txt"], 2, "can't tell"),
        (["-o", "folder/", "--format", "csv"], 2, "only Markdown"),
        (["-o", "."], 0, ""),
        (["-o", "nowhere/posts.csv"], 2, "can't be written"),
        (["--format", "md"], 2, "one post a file"),
        (["--json", "--format", "csv"], 2, "--json"),
    ],
)
def test_what_is_refused(
    full: Posting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int,
    said: str,
) -> None:  # fmt: skip
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    if not code:
        full("export", *words)
        assert sorted(path.name for path in empty.iterdir()) == [
            "0001-t.md", "0002-plain.md",
        ]  # fmt: skip
        return
    assert said in full.refused(code, "export", *words)
    assert list(empty.iterdir()) == []


def test_a_file_is_replaced_as_a_whole(full: Posting, tmp_path: Path) -> None:
    target = tmp_path / "posts.json"
    target.write_text("before")
    link = tmp_path / "link.json"
    link.symlink_to(target)
    said = full("export", "-o", str(link)).err
    assert said == f"2 posts written to {link}\n"
    assert len(json.loads(target.read_text())) == 2
    assert link.is_symlink()
    full.refused(3, "export", "9", "-o", str(target))
    assert len(json.loads(target.read_text())) == 2
    assert [path.name for path in tmp_path.glob(".*")] == []
    assert full("-q", "export", "-o", str(target)).err == ""


def test_csv_can_not_hold_media_of_later_parts(cli: Posting, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    row = {"text": "a", "to": "me", "at": LATER,
           "then": [{"text": "b", "media": [{"path": str(tmp_path / "cat.png")}]}]}  # fmt: skip
    cli("import", "-", "--format", "json", stdin=json.dumps(row))
    target = tmp_path / "posts.csv"
    said = cli.refused(2, "export", "-o", str(target))
    assert "CSV can't hold" in said
    assert not target.exists()
    assert not cli.refused(2, "export", "--format", "csv").count("\n") > 1


@pytest.mark.slow
def test_what_would_not_go_out_here_does_not_go_out_elsewhere(cli: Posting) -> None:
    cli.account("work")
    cli("add", "out", "--to", "me", "--at", "now")
    cli("publish-due")
    for text in ("cancelled", "paused", "failed"):
        cli("add", text, "--to", "me", "--at", LATER)
    cli("cancel", "2")
    cli("pause", "3")
    cli.set_delivery(4, status="failed", next_at=None, finished_at=1)
    cli("add", "past", "--to", "me", "--in", "0s")
    cli("add", "partly", "--to", "me,work", "--at", LATER, "--for", "me=mine")
    cli("cancel", "6", "--account", "me")
    cli("add", "draft", "--to", "me", "--draft")
    answer = cli("export", "--format", "jsonl")
    assert "note: 5 posts would not go out by themselves any more" in answer.err
    rows = list(map(json.loads, answer.out.splitlines()))
    assert [row["text"] for row in rows if not row.get("draft")] == ["partly"]
    assert (rows[5]["to"], rows[5].get("variants")) == (["work"], None)
    settle_elsewhere(cli)
    assert cli.json("import", "-", "--format", "jsonl", stdin=answer.out)["added"] == 7
    assert cli.json("publish-due")["deliveries"] == []
    coming = [post["text"] for post in cli.json("list", "--status", "scheduled")]
    assert coming == ["partly"]


def test_an_export_that_comes_back_is_known(full: Posting) -> None:
    full("add", "out", "--to", "me", "--at", "now")
    out = full("export", "--format", "jsonl").out
    back = ("import", "-", "--format", "jsonl")
    assert full.json(*back, stdin=out) == {"added": 0, "known": 3, "ids": [1, 2, 3], "errors": []}
    full("publish-due")
    full("cancel", "1", "--account", "work")
    assert full.json(*back, stdin=out)["known"] == 3
    changed = out.replace("plain", "changed")
    (error,) = full.json(*back, stdin=changed, code=1)["errors"]
    assert (error["row"], error["field"]) == (2, "key")
    assert "belongs to post 2" in error["message"]


def test_series_name_the_same_times_elsewhere(cli: Posting) -> None:
    cli.account("work")
    cli("account", "group", "both", "me", "work")
    for schedule in (
        ("--repeat", "daily", "--at", LATER, "--count", "5", "--except", "2030-05-02"),
        ("--cron", "30 * * * *", "--tz", "Europe/Berlin", "--from", "2030-10-27", "--count", "4"),
        ("--rrule", "DTSTART:20300101T090000\nRRULE:FREQ=DAILY", "--from", "2030-05-01"),
        ("--rrule", "FREQ=DAILY;COUNT=5", "--at", LATER),
    ):
        cli("add", "a series", "--to", "both", *schedule)
    cli("cancel", "1", "--occurrence", LATER)
    cli("cancel", "4", "--occurrence", LATER)
    cli("cancel", "1", "--occurrence", "2030-05-04 09:00", "--account", "me")
    cli("edit", "1", "--occurrence", "2030-05-03 09:00", "--at", "2030-05-03 11:00")
    cli("cancel", "2", "--account", "me")
    answer = cli("export", "--format", "jsonl")
    assert "a text of their own are written as their series has them: of post 1\n" in answer.err
    settle_elsewhere(cli)
    assert cli.json("import", "-", "--format", "jsonl", stdin=answer.out)["added"] == 4
    first, clock, rule, counted = (
        cli.json("show", str(post))["schedule"]["next"] for post in (1, 2, 3, 4)
    )
    assert first == [f"2030-05-0{day}T09:00:00Z" for day in (3, 4, 5)]
    assert clock == [f"2030-10-2{at}:30:00Z" for at in ("6T22", "6T23", "7T00", "7T01")]
    assert (rule[0], len(rule)) == ("2030-05-01T09:00:00Z", 10)
    assert counted == [f"2030-05-0{day}T09:00:00Z" for day in (2, 3, 4, 5)]
    assert cli.json("show", "2")["accounts"] == ["work"]


@pytest.mark.slow
def test_to_a_reader_that_has_gone(full: Posting, tmp_path: Path) -> None:
    rows = [{"text": "x" * 500, "to": "me", "at": LATER, "key": str(n)} for n in range(400)]
    full("import", "-", "--format", "json", stdin=json.dumps(rows))
    answer = full.call.process("export", prefix=["sh", "-c", '"$@" | head -c 10', "sh"])
    assert (answer.code, answer.err) == (0, "")
    full_disk = full.call.process("export", prefix=["sh", "-c", '"$@" > /dev/full', "sh"])
    if Path("/dev/full").exists():
        assert full_disk.code == 1
        assert full_disk.err.startswith("postsched: the output can't be written: ")
        assert full_disk.err.count("\n") == 1
