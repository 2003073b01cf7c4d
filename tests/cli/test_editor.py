"""edit without options: the post in the person's editor, where nothing typed is lost."""

from __future__ import annotations

import re
import shlex
import stat
import sys
from pathlib import Path

import pytest

from postsched.testing.picture import png
from tests.cli.calling import ROOT
from tests.cli.posting import Posting

LATER = "2030-05-01 09:00"


def editor(folder: Path, change: str, variable: str = "VISUAL") -> dict[str, str]:
    """An editor that does `change` to the `text` of the file at `path`."""
    script = folder / "my editor.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "path = pathlib.Path(sys.argv[-1])\n"
        "text = path.read_text(encoding='utf-8')\n"
        f"{change}\n"
        "path.write_text(text, encoding='utf-8') if text is not None else path.unlink()\n"
    )
    command = [sys.executable, str(script), "--wait"]
    return {variable: shlex.join(command)}


@pytest.fixture
def edited(cli: Posting, tmp_path: Path) -> Posting:
    """Post 1; what editors leave behind is in the folder `left`."""
    left = tmp_path / "left"
    left.mkdir()
    cli.call.set(TMPDIR=str(left))
    cli("add", "Hello", "--at", LATER, "--tag", "a", "--comment", "c")
    return cli


@pytest.fixture(autouse=True)
def _temporary_files_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)  # it is remembered from the first use


def left(cli: Posting) -> list[Path]:
    return [path for path in (cli.call.home.parent / "left").rglob("*") if path.is_file()]


def test_what_is_typed_is_what_the_post_becomes(edited: Posting, tmp_path: Path) -> None:
    change = "text = text.replace('Hello', 'Bye\\n---\\nand bye').replace('comment: c\\n', '')"
    edited.call.set(**editor(tmp_path, change))
    answer = edited.call.terminal("edit", "1", "--json")
    assert answer.code == 0, answer
    post = answer.json
    assert [part["text"] for part in post["parts"]] == ["Bye", "and bye"]
    assert (post["comment"], post["tags"]) == (None, ["a"])
    assert post["schedule"]["at"] == "2030-05-01T09:00:00Z"
    assert left(edited) == []


def test_the_file_is_markdown_for_its_owner_only(edited: Posting, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    told = "f'{oct(path.stat().st_mode)} {path}\\n{text}'"
    change = f"pathlib.Path({str(seen)!r}).write_text({told})"
    edited.call.set(**editor(tmp_path, change, "EDITOR"))
    answer = edited.call.terminal("edit", "1")
    assert answer.err == "Nothing was changed\n"
    head, shown = seen.read_text().split("\n", 1)
    assert head.endswith("post-1.md")
    assert stat.S_IMODE(int(head.split()[0], 8)) & 0o077 == 0
    assert "at: '2030-05-01T09:00:00'" in shown
    assert shown.endswith("\nHello\n")
    assert shown.startswith("---\n# Post 1.")


@pytest.mark.parametrize("change", ["", "text = ''", "text = ' \\n'", "text = None"])
def test_unchanged_emptied_and_removed_change_nothing(
    edited: Posting, tmp_path: Path, change: str
) -> None:
    before = edited.json("show", "1")
    edited.call.set(**editor(tmp_path, change))
    answer = edited.call.terminal("edit", "1", "--json")
    assert (answer.code, answer.err) == (0, "Nothing was changed\n")
    assert answer.json["text"] == "Hello"
    assert edited.json("show", "1") == before
    assert left(edited) == []


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("text = text.replace('tags', 'tagz')", 2, "Did you mean tags?"),
        ("text = text.replace('tags:', 'tags')", 2, "no valid YAML"),
        ('text = text.replace("\'2030", "\'2020")', 2, "is past"),
        ("text = text.replace('- me', '- mee')", 3, "Did you mean me?"),
        (
            "text = text.replace(\"at: '2030-05-01T09:00:00'\\n\", '')",
            2,
            "it isn't said when",
        ),
        ("text = text + 'x'; path.write_text(text); sys.exit(3)", 2, "ended with code 3"),
    ],
)
def test_what_is_typed_is_not_lost_by_an_error(
    edited: Posting, tmp_path: Path, change: str, code: int, said: str
) -> None:
    edited.call.set(**editor(tmp_path, change))
    answer = edited.call.terminal("edit", "1")
    answer.refused(code, said, "What you typed is kept: postsched edit 1 --file ")
    (path,) = left(edited)
    assert str(path) in answer.err
    path.write_text("---\nto: me\n---\nmended")
    assert edited.json("edit", "1", "--file", str(path))["text"] == "mended"


def behind(cli: Posting) -> str:
    """Lines of Python that begin a look into the database behind the program's back."""
    return (
        "import pathlib, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.servers import postgres\n"
        f"with postgres.behind(pathlib.Path({str(cli.call.database)!r})) as base:\n"
    )


def test_a_post_that_goes_out_meanwhile(edited: Posting, tmp_path: Path) -> None:
    change = (
        behind(edited) + "    base.execute(\"UPDATE deliveries SET status = 'publishing'\")\n"
        "text = text.replace('Hello', 'Bye')"
    )
    edited.call.set(**editor(tmp_path, change))
    edited.call.terminal("edit", "1").refused(1, "is publishing on me", "What you typed is kept")


def test_a_post_that_somebody_else_changes_meanwhile(edited: Posting, tmp_path: Path) -> None:
    change = (
        behind(edited) + "    base.execute(\"UPDATE posts SET comment = 'theirs'\")\n"
        "text = text.replace('Hello', 'Bye')"
    )
    edited.call.set(**editor(tmp_path, change))
    edited.call.terminal("edit", "1").refused(1, "changed by somebody else", "is kept")
    assert edited.json("show", "1")["text"] == "Hello"


def test_media_that_are_kept_need_no_file(edited: Posting, tmp_path: Path) -> None:
    path = tmp_path / "my cat.png"
    path.write_bytes(png())
    edited("edit", "1", "--media", str(path), "--alt", "A cat")
    path.unlink()
    edited.call.set(**editor(tmp_path, "text = text.replace('A cat', 'Our cat')"))
    answer = edited.call.terminal("edit", "1", "--json")
    assert answer.code == 0, answer
    assert [(m["path"], m["alt"]) for m in answer.json["media"]] == [(str(path), "Our cat")]


def test_where_none_is_named_it_is_vi(edited: Posting, tmp_path: Path) -> None:
    command = editor(tmp_path, "text = text.replace('Hello', 'Bye')")["VISUAL"]
    vi = tmp_path / "vi"
    vi.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    vi.chmod(0o755)
    edited.call.set(VISUAL="", EDITOR="", PATH=str(tmp_path))
    assert edited.call.terminal("edit", "1", "--json").json["text"] == "Bye"


def test_it_gets_no_secret_of_ours(edited: Posting, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    edited.call.set(
        **editor(tmp_path, f"pathlib.Path({str(seen)!r}).write_text(repr(dict(os.environ)))"),
        **{
            f"POSTSCHED_{name}": "https://s3cret.example/s3cret"
            for name in (
                "TOKEN_ME", "CLIENT_SECRET_X", "PASSPHRASE", "NEW_PASSPHRASE", "WEBHOOK_SECRET",
                "WEBHOOK_URL", "MEDIA_HOST_SECRET", "NOTIFY_TARGETS", "NOTIFY_HEARTBEAT_URL",
            )
        },
    )  # fmt: skip
    assert edited.call.terminal("edit", "1").code == 0
    assert "POSTSCHED_DB" in seen.read_text()
    assert "s3cret" not in seen.read_text()


def test_without_a_terminal_or_an_editor(edited: Posting, tmp_path: Path) -> None:
    edited.call.set(**editor(tmp_path, ""))
    assert "no terminal" in edited.refused(2, "edit", "1")
    edited.call.set(VISUAL="", EDITOR="", PATH=str(tmp_path))
    edited.call.terminal("edit", "1").refused(2, "there is no editor", "VISUAL or EDITOR")
    edited.call.set(EDITOR="no-such-editor -w")
    edited.call.terminal("edit", "1").refused(2, "'no-such-editor' can't be started")
    edited.call.set(EDITOR="'")
    edited.call.terminal("edit", "1").refused(2, "is no command")
    edited.call.terminal("edit", "9").refused(3, "there is no post 9")
    assert left(edited) == []
    assert re.search("--text", edited.call.terminal("edit", "1").err)
