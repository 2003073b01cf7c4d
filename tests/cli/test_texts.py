"""Series whose text differs: dates, numbers, variables, and texts that take turns."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postsched.testing import MastodonServer
from postsched.testing.mastodon import TOKEN
from tests.cli.posting import Posting

DAILY = ("--repeat", "daily", "--at", "2030-05-01 09:00", "--tz", "Europe/Berlin")


def evergreen(folder: Path, *texts: str) -> str:
    """A file of texts."""
    file = folder / "texts.md"
    file.write_text("\n---\n".join(texts))
    return str(file)


def test_what_is_written_is_kept_shown_and_found(cli: Posting, tmp_path: Path) -> None:
    file = evergreen(tmp_path, "one {{city}}", "two {{n}}", "three")
    words = ("add", "{{weekday}}: {{text}}", "--texts", file, "--var", "city=Rome", *DAILY)
    post = cli.json(*words, "--comment", "no. {{n}}")
    assert post["text"] == "{{weekday}}: {{text}}"
    assert (post["texts"], post["vars"]) == (
        ["one {{city}}", "two {{n}}", "three"],
        {"city": "Rome"},
    )
    page = cli("show", "1").out
    assert "text 2: two {{n}}" in page
    assert "{{city}}: Rome" in page
    assert cli.json("list", "--search", "three")[0]["id"] == 1
    nothing = cli.json("add", "--texts", file, "--var", "city=Rome", *DAILY)
    assert (nothing["text"], nothing["parts"][0]["text"]) == ("", "{{text}}")
    assert {"texts", "vars"}.isdisjoint(cli.json("add", "plain", *DAILY))
    assert "Wednesday: one Rome" in cli("list").out
    literally = evergreen(tmp_path, "a\n\\---\nb", "c")
    kept = cli.json("add", "--texts", literally, *DAILY)
    assert kept["texts"] == ["a\n\\---\nb", "c"]
    assert [len(one["parts"]) for one in kept["deliveries"]] == [1]


def test_edit_and_export_give_it_back(cli: Posting, tmp_path: Path) -> None:
    file = evergreen(tmp_path, "one {{city}}", "a | b", "three\nlines")
    cli("add", "--texts", file, "--var", "city=Rome", *DAILY, "--key", "k")
    for form in ("json", "jsonl", "csv"):
        whole = tmp_path / f"posts.{form}"
        whole.write_text(cli("export", "--format", form).out)
        assert cli.json("import", str(whole))["known"] == 1, form
    assert cli.json("edit", "1", "--var", "city=Oslo")["vars"] == {"city": "Oslo"}
    assert "{{city}} stands for nothing" in cli.refused(2, "edit", "1", "--no-var")
    assert "there is a text, and there are texts" in cli.refused(2, "edit", "1", "Hello")
    changed = cli.json("edit", "1", "Hello", "--no-texts", "--no-var")
    assert changed["text"] == "Hello"
    assert {"texts", "vars"}.isdisjoint(changed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{{dat}}", *DAILY), "{{dat}} stands for nothing. Did you mean {{date}}?"),
        (("{{city}}", "--var", "cty=Rome", "--at", "2030-05-01 09:00"), "Did you mean {{cty}}?"),
        (("x", "--var", "date=1", *DAILY), "{{date}} has a meaning already"),
        (("x", "--link", "{{n}}", *DAILY), "'1' is no web address"),
        (("x", "--link", "https://example.org/{{dat}}", *DAILY), "Did you mean {{date}}?"),
        (("\\{{ {{date", *DAILY), "is not closed"),
    ],
)
def test_what_can_not_be_filled_in_is_refused(
    cli: Posting, words: tuple[str, ...], said: str
) -> None:
    assert said in cli.refused(2, "add", *words)
    assert cli.count("posts") == 0


def test_import_names_the_row_and_the_field(cli: Posting, tmp_path: Path) -> None:
    rows = [{"text": "{{n}} {{dat}}", "to": "me", "at": "2030-05-01 09:00", "vars": {"x": 1}}]
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(rows))
    errors = cli.json("import", str(file), code=1)["errors"]
    assert [(one["row"], one["field"]) for one in errors] == [(1, "text")]
    assert "Did you mean" in errors[0]["message"]
    lines = "text,to,at,repeat,texts,var:city\n,me,2030-05-01 09:00,daily,a|{{city}},Rome\n"
    assert cli.json("import", "-", "--format", "csv", stdin=lines)["added"] == 1
    post = cli.json("show", "1")
    assert (post["texts"], post["vars"]) == (["a", "{{city}}"], {"city": "Rome"})


def test_what_does_nothing_is_said(cli: Posting, tmp_path: Path) -> None:
    once = ("--at", "2030-05-01 09:00")
    assert "{{date}} is sent as it stands" in cli("add", "{{date}} {{x}}", *once).err
    assert cli("add", "{{ jinja }}", *once).err == ""
    file = evergreen(tmp_path, "a", "b", "c")
    assert "of the 3 texts only the first is sent" in cli("add", "--texts", file, *once).err
    said = cli("add", "--texts", file, *DAILY, "--count", "2").err
    assert "of the 3 texts only 2 are sent" in said
    assert cli("add", "--texts", file, *DAILY).err == ""


def test_a_preview_shows_the_first_and_says_that_there_are_more(
    cli: Posting, tmp_path: Path
) -> None:
    file = evergreen(tmp_path, "one {{n}} on {{date:%-d %B}}", "two")
    shown = cli("preview", "--texts", file, *DAILY)
    assert "one 1 on 1 May" in shown.out
    assert "this is text 1 of 2" in shown.out + shown.err


def let_it_be_due(cli: Posting) -> None:
    """Move the next of the series to this moment."""
    now = int(datetime.now(UTC).timestamp() * 1e6)
    with cli.database() as base:
        base.execute("UPDATE deliveries SET occurrence = ?, due_at = ?, next_at = ?, "
                     "prepare_at = NULL WHERE leads = 1", (now, now, now))  # fmt: skip


def sent(cli: Posting) -> list[str]:
    """What is in the outbox, oldest first."""
    files = (cli.call.database.parent / "outbox" / "me" / "posts").glob("*.md")
    found = sorted(files, key=lambda file: file.stat().st_mtime_ns)
    return [file.read_text().split("---\n")[-1].strip() for file in found]


def test_texts_go_out_in_turn_by_publish_due(cli: Posting, tmp_path: Path) -> None:
    """A process for each, as cron has it; a change does not begin anew."""
    file = evergreen(tmp_path, "one", "two {{n}}", "three")
    cli("add", "--texts", file, *DAILY)
    for turn in range(5):
        if turn == 4:
            cli("edit", "1", "{{n}} {{text}}")
        let_it_be_due(cli)
        assert cli.json("publish-due")["published"] == 1
    assert sent(cli) == ["one", "two 2", "three", "one", "5 two 5"]


def test_what_has_become_too_long_fails_and_says_so(cli: Posting) -> None:
    with MastodonServer() as server:
        words = ("account", "add", "toot", "--platform", "mastodon", "--url", server.url)
        cli(*words, "--token-stdin", stdin=TOKEN)
        cli("add", "{{city}}", "--var", "city=Rome", "--to", "toot", *DAILY)
        with cli.database() as base:
            base.execute("UPDATE posts SET vars = ?", (json.dumps({"city": "x" * 501}),))
        assert "501 graphemes" in cli("check", code=1).out
        let_it_be_due(cli)
        (delivery,) = cli.json("publish-due", code=1)["deliveries"]
    assert delivery["status"] == "failed"
    assert delivery["error"]["kind"] in ("invalid", "permanent")
    assert delivery["attempts"] == 1
