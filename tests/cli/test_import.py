"""import: all or nothing, every bad row with its line, the same file twice adds once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postsched.testing import MastodonServer
from postsched.testing.mastodon import TOKEN
from postsched.testing.picture import png
from tests.cli.posting import Posting

LATER = "2030-05-01 09:00"
CSV = f"text,to,at\nOne,me,{LATER}\nTwo,me,{LATER}\n"


def lines(*rows: dict[str, Any]) -> str:
    return "\n".join(json.dumps({"to": "me", "at": LATER} | row) for row in rows)


def imported(cli: Posting, *rows: dict[str, Any], code: int = 0) -> Any:
    """The answer to an import of JSON Lines on stdin."""
    words = ("import", "-", "--format", "jsonl")
    return cli.json(*words, stdin=lines(*rows), code=code)


def texts(cli: Posting) -> list[str]:
    return [text for (text,) in cli.rows("SELECT text FROM posts ORDER BY id")]


def test_the_same_file_twice_adds_once(cli: Posting, tmp_path: Path) -> None:
    file = tmp_path / "my posts.csv"
    file.write_text(CSV + f"One,me,{LATER}\n")
    assert cli("import", str(file)).out == "3 posts added\n"
    again = cli.json("import", str(file))
    assert again == {"added": 0, "known": 3, "ids": [1, 2, 3], "errors": []}
    assert cli("import", str(file)).out == "0 posts added, 3 were there already\n"
    file.write_text(CSV + f"One,me,{LATER}\nFour,me,{LATER}\n")
    assert cli.json("import", str(file)) == {
        "added": 1, "known": 3, "ids": [1, 2, 3, 4], "errors": [],
    }  # fmt: skip


def test_a_time_that_means_another_instant_by_now_is_said(cli: Posting) -> None:
    rows = ("Fixed", LATER, ""), ("Keyed", "in 2 hours", "k"), ("Loose", "tomorrow 9am", "")
    file = "text,to,at,key\n" + "".join(f"{text},me,{at},{key}\n" for text, at, key in rows)
    words = ("import", "-", "--format", "csv")
    assert cli(*words, stdin=file).err == ""
    answer = cli(*words, stdin=file)
    assert answer.out == "0 posts added, 3 were there already\n"
    assert answer.err.startswith("note: 1 row that was there already names a time such as ")
    assert "give it a key" in answer.err
    assert cli.json(*words, stdin=file)["known"] == 3


def test_what_is_imported_is_what_add_would_write(cli: Posting) -> None:
    cli.account("work")
    row = {
        "text": "Hello", "to": ["me", "work"], "tz": "Europe/Berlin", "then": ["two"],
        "comment": "c", "link": "https://example.org", "title": "t", "variants": {"work": "Hi"},
        "tags": ["a"], "visibility": "direct", "warning": "w", "lang": "de", "missed": "late",
        "grace": "2h", "priority": 7, "key": "imported",
    }  # fmt: skip
    assert imported(cli, row)["ids"] == [1]
    cli(
        "add", "Hello", "--to", "me,work", "--at", LATER, "--tz", "Europe/Berlin", "--then", "two",
        "--comment", "c", "--link", "https://example.org", "--title", "t", "--for", "work=Hi",
        "--tag", "a", "--visibility", "direct", "--warning", "w", "--lang", "de", "--missed",
        "late", "--grace", "2h", "--priority", "7", "--key", "added",
    )  # fmt: skip
    for table, of_post in (("posts", "id"), ("targets", "post_id"), ("schedules", "post_id")):
        assert comparable(cli, table, of_post, 1) == comparable(cli, table, of_post, 2)
    assert comparable(cli, "deliveries", "post_id", 1) == comparable(
        cli, "deliveries", "post_id", 2
    )
    assert cli.rows("SELECT count(*) FROM posts WHERE length(uid) = 32") == [(2,)]


def comparable(cli: Posting, table: str, of_post: str, post: int) -> list[dict[str, Any]]:
    """The rows of a post, without what differs from post to post."""
    with cli.database() as base:
        rows = base.execute(f"SELECT * FROM {table} WHERE {of_post} = {post}")
        names = [column[0] for column in rows.description]
        rows = rows.fetchall()
    own = {"id", "post_id", "uid", "key", "digest", "created_at", "updated_at"}
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [{name: value for name, value in row.items() if name not in own} for row in found]


def test_an_imported_post_goes_out(cli: Posting) -> None:
    imported(cli, {"text": "now", "at": "now"}, {"text": "soon", "at": "in 0s"})
    assert cli.json("publish-due")["published"] == 2


def test_one_bad_row_and_nothing_is_written(cli: Posting, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(
        CSV + f'Three,nobody,{LATER}\n"Four\nlines",me,2020-01-01 09:00\n,me,{LATER}\n'
        f"Six,me,{LATER}\n"
    )
    answer = cli("import", str(file), code=1)
    assert not answer.out
    said = answer.err.splitlines()
    assert [line.split(": ")[1:3] for line in said[:-1]] == [
        [f"{file}:4", "to"], [f"{file}:5", "at"], [f"{file}:7", "text"],
    ]  # fmt: skip
    assert said[-1] == "postsched: nothing was added: 3 rows are bad"
    document = cli.json("import", str(file), code=1)
    assert {name: document[name] for name in ("added", "known", "ids")} == {
        "added": 0, "known": 0, "ids": [],
    }  # fmt: skip
    assert [(one["file"], one["row"], one["line"], one["field"]) for one in document["errors"]] == [
        (str(file), 3, 4, "to"),
        (str(file), 4, 5, "at"),
        (str(file), 5, 7, "text"),
    ]
    assert all(one["message"] for one in document["errors"])
    assert texts(cli) == []


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ({"to": "mee"}, "to", "Did you mean me?"),
        ({"at": "whenever"}, "at", "not understood"),
        ({"at": None}, "at", "missing"),
        ({"tz": "Mars"}, "tz", "no time zone"),
        ({"grace": "long"}, "grace", "no duration"),
        ({"missed": "never"}, "missed", "ask, skip or late"),
        ({"visibility": "secret"}, "visibility", "public"),
        ({"lang": "x"}, "lang", "language code"),
        ({"link": "example"}, "link", "no web address"),
        ({"variants": {"work": "x"}}, "variants", "does not go there"),
        ({"media": [{"path": "nowhere.png"}]}, "media", "there is no file"),
        ({"media": [{"url": "https://"}]}, "media", "no web address"),
        ({"key": "k" * 201}, "key", "200 characters"),
        ({"priority": 2**40}, "priority", "whole number"),
        ({"then": ["a"] * 100}, "then", "at most 100 parts"),
        ({"text": "x" * 1_000_001}, "text", "1,000,000"),
        ({"txet": "x"}, "txet", "Did you mean text?"),
        ({"repeat": "daily"}, "repeat", "can't do that yet"),
        ({"tags": ["a\ud800"]}, "tags", "no text may have"),
    ],
)
def test_the_field_at_fault_is_named(
    cli: Posting, row: dict[str, Any], field: str, said: str
) -> None:
    document = imported(cli, {"text": "good"}, {"text": "bad"} | row, code=1)
    (error,) = document["errors"]
    assert (error["row"], error["line"], error["field"]) == (2, 2, field)
    assert said in error["message"]
    assert texts(cli) == []


def test_every_limit_of_every_account_is_said(cli: Posting) -> None:
    with MastodonServer() as server:
        cli.call.set(POSTSCHED_TOKEN_MASTO=TOKEN)
        cli("account", "add", "masto", "--platform", "mastodon", "--url", server.url)
    row = {"text": "x" * 501, "to": "me,masto", "then": ["y" * 502]}
    errors = imported(cli, row, code=1)["errors"]
    assert [error["field"] for error in errors] == ["text", "then"]
    assert all("masto (Mastodon)" in error["message"] for error in errors)


def test_a_file_that_ends_in_the_middle(cli: Posting, tmp_path: Path) -> None:
    file = tmp_path / "posts.json"
    file.write_text(f'[{{"text": "a", "to": "me", "at": "{LATER}"}}, {{"text": "b", ')
    (error,) = cli.json("import", str(file), code=1)["errors"]
    assert (error["row"], error["field"]) == (0, None)
    assert texts(cli) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.csv"], "there is no file nowhere.csv"),
        (["."], "is a folder"),
        (["-"], "--format json|jsonl|csv|markdown"),
        (["-", "-", "--format", "csv"], "read only once"),
        (["x.txt"], "can't tell the format"),
        (["x.csv", "--format", "xml"], "no format 'xml'"),
    ],
)
def test_what_can_not_be_read_is_refused_before_anything_is(
    cli: Posting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").write_text(CSV)
    (tmp_path / "x.csv").write_text(CSV)
    assert said in cli.refused(2, "import", *words)
    cli.refused(2, "import", "x.csv", *words)
    assert texts(cli) == []


def test_several_files_are_one_import(cli: Posting, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.md").write_text(f"---\nto: me\nat: {LATER}\n---\nThree\n")
    (tmp_path / "c.jsonl").write_text(lines({"text": "Four"}))
    files = [str(tmp_path / name) for name in ("a.csv", "b.md", "c.jsonl")]
    assert cli.json("import", *files, "-", "--format", "csv", stdin="text\n", code=1)["added"] == 0
    done = cli.json("import", *files)
    assert (done["added"], done["ids"]) == (4, [1, 2, 3, 4])
    (tmp_path / "d.jsonl").write_text(lines({"text": "Five"}, {"text": ""}))
    assert cli.json("import", str(tmp_path / "d.jsonl"), *files, code=1)["known"] == 0
    assert texts(cli) == ["One", "Two", "Three", "Four"]


def test_a_file_named_twice_adds_once(cli: Posting, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(CSV)
    done = cli.json("import", str(file), str(file))
    assert done == {"added": 2, "known": 2, "ids": [1, 2, 1, 2], "errors": []}


def test_equal_rows_of_a_file_are_different_posts(cli: Posting) -> None:
    assert imported(cli, {"text": "a"}, {"text": "a"})["added"] == 2


def test_keys_of_rows(cli: Posting) -> None:
    row = {"text": "a", "key": "k"}
    assert imported(cli, row, row) == {"added": 1, "known": 1, "ids": [1, 1], "errors": []}
    assert cli.json("add", "a", "--to", "me", "--at", LATER, "--key", "k")["id"] == 1
    (error,) = imported(cli, {"text": "b", "key": "k"}, code=1)["errors"]
    assert (error["field"], error["row"]) == ("key", 1)
    assert "belongs to post 1" in error["message"]
    (error,) = imported(cli, {"text": "b", "key": "l"}, {"text": "c", "key": "l"}, code=1)["errors"]
    assert (error["field"], error["row"]) == ("key", 2)
    assert "an earlier row" in error["message"]
    assert texts(cli) == ["a"]


def test_a_key_that_is_made_and_one_that_is_given_may_meet(cli: Posting) -> None:
    imported(cli, {"text": "a"})
    ((key,),) = cli.rows("SELECT key FROM posts")
    cli("edit", "1", "--no-key")
    rows = lines({"text": "a"}, {"text": "b", "key": key})
    said = cli.refused(2, "import", "-", "--format", "jsonl", stdin=rows)
    assert "the same key" in said
    assert cli.count("posts") == 1


def test_a_row_that_is_known_is_not_judged_again(cli: Posting) -> None:
    row = {"text": "a"}
    imported(cli, row)
    with cli.database() as base:
        base.execute("UPDATE schedules SET at = '2020-01-01T09:00:00+00:00'")
        base.execute("UPDATE accounts SET name = 'gone'")
    assert imported(cli, row)["known"] == 1


def test_a_row_that_was_edited_since_is_known(cli: Posting) -> None:
    imported(cli, {"text": "a"}, {"text": "b", "key": "k"})
    cli("edit", "1", "other")
    cli("edit", "2", "other")
    assert imported(cli, {"text": "a"}, {"text": "b", "key": "k"})["known"] == 2


def test_media_are_kept_and_named_from_the_file(cli: Posting, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "cat.png").write_bytes(png())
    (folder / "posts.csv").write_text(
        f"text,to,at,media,alt\nOne,me,{LATER},cat.png,A cat\nTwo,me,{LATER},cat.png|cat.png,\n"
    )
    cli("import", str(folder / "posts.csv"))
    assert cli.rows("SELECT post_id, position, path, alt, type FROM media ORDER BY id") == [
        (1, 0, str(folder / "cat.png"), "A cat", "image/png"),
        (2, 0, str(folder / "cat.png"), None, "image/png"),
        (2, 1, str(folder / "cat.png"), None, "image/png"),
    ]


def test_drafts_may_lie_in_the_past(cli: Posting) -> None:
    imported(cli, {"text": "a", "at": "2020-01-01 09:00", "draft": True})
    post = cli.json("show", "1")
    assert (post["status"], post["schedule"]["at"]) == ("draft", "2020-01-01T09:00:00Z")


def test_many_rows_are_written_in_order(cli: Posting) -> None:
    rows = [{"text": f"post {number}"} for number in range(1200)]
    done = imported(cli, *rows)
    assert (done["added"], done["ids"]) == (1200, list(range(1, 1201)))
    assert texts(cli) == [row["text"] for row in rows]
    assert cli.count("deliveries") == 1200
    mixed = [{"text": "new 1"}, rows[3], {"text": "new 2"}]
    assert imported(cli, *mixed)["ids"] == [1201, 4, 1202]


def test_progress_is_shown_on_a_terminal_only(
    cli: Posting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postsched.cli.progress.PATIENCE", 0.0)
    file = tmp_path / "posts.jsonl"
    file.write_text(lines(*({"text": f"post {number}"} for number in range(600))))
    shown = cli.call.terminal("import", str(file))
    assert shown.out == "600 posts added\n"
    assert "reading" in shown.err
    assert "writing posts" in shown.err
    assert not cli.call.terminal("-q", "import", str(file)).err
    assert not cli.call.terminal("import", str(file), "--json").err
    assert not cli("import", str(file)).err


def test_nothing_to_import(cli: Posting, tmp_path: Path) -> None:
    file = tmp_path / "empty.json"
    file.write_text("[]")
    assert cli("import", str(file)).out == "0 posts added\n"
    file.write_text("")
    (error,) = cli.json("import", str(file), code=1)["errors"]
    assert error["message"] == "the file is empty"
