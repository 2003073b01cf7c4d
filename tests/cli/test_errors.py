"""Bad input and bad surroundings: one line on stderr, the documented exit code, nothing
half-written."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.calling import PATIENCE, Caller
from tests.cli.posting import Posting
from tests.store.disks import bound_by_permissions, fill, small_disk

pytestmark = pytest.mark.slow

ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@pytest.fixture
def filled(cli: Posting) -> Caller:
    """A caller with an account and a post."""
    cli("add", "Grüße 👋 你好", "--to", "me", "--in", "1h")
    return cli.call


def posts(database: Path) -> list[str]:
    """The texts in a database."""
    with closing(sqlite3.connect(database)) as base:
        return [row[0] for row in base.execute("SELECT text FROM posts ORDER BY id")]


def test_help_names_every_option_and_gives_examples(call: Caller) -> None:
    for command in ("add", "account add", "doctor", "backup", "restore", "run"):
        answer = call(*command.split(), "--help")
        assert (answer.code, answer.err) == (0, "")
        assert f"postsched {command}" in answer.out.replace("\n", " ")
        assert "Example" in answer.out


def test_what_the_help_says_of_a_command_is_what_the_command_says(call: Caller) -> None:
    from importlib import import_module

    from postsched.cli.app import COMMANDS

    for name, (module, said) in COMMANDS.items():
        app = import_module(f"postsched.cli.{module}").app
        own = {
            one.name: one.typer_instance.info.help
            if isinstance(one.typer_instance.info.help, str)
            else one.typer_instance.registered_callback.callback.__doc__
            for one in app.registered_groups
        }
        for one in app.registered_commands:
            own[one.name or one.callback.__name__] = one.callback.__doc__
        assert own[name].split("\n")[0] == said, name


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        (":memory:", 2, "in memory"),
        ("sqlite://", 2, "sqlite:///PATH"),
        ("sqlite:///:memory:", 2, "in memory"),
        ("mysql://me:geheim@localhost/posts", 2, "mysql:"),
        ("postgresql://me:geheim@127.0.0.1:1/posts", 4, "postgresql://me@127.0.0.1:1/posts can't"),
        ("postgresql://me@127.0.0.1:1/posts?password=geheim", 4, "127.0.0.1:1/posts can't"),
        ("postgresql://me:geheim@127.0.0.1:none/posts", 4, "can't be read"),
        ("postgresql://me:ge@geheim@127.0.0.1:1/posts", 4, "%40"),
        (" postgresql://me:geheim@127.0.0.1:1/posts", 2, "no URL"),
        ("~nobody-of-that-name/posts.db", 2, "home folder"),
        ("a\nb.db", 2, "no path"),
        (".", 4, "is a directory"),
        ("/dev/null", 4, "is no ordinary file"),
        ("/dev/null/posts.db", 4, "can't open"),
        ("/proc/posts.db", 4, "can't open"),
    ],
)
def test_a_place_where_no_database_can_be(call: Caller, place: str, code: int, said: str) -> None:
    answer = call("--db", place, "list")
    answer.refused(code, said)
    shown = call("-vv", "--db", place, "list")
    assert "Traceback" in shown.err
    assert "geheim" not in answer.err + shown.err


def test_every_way_to_name_a_database(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(call.home)
    for name in ("relative.db", "sqlite:///url.db", "~/home.db", f"{call.home}/absolute.db"):
        call.set(POSTSCHED_DB=name)
        assert call("list").code == 0
        assert (call.home / f"{name.rpartition('/')[2]}").is_file()
    call.set(POSTSCHED_DB="")
    assert call("list").code == 0
    assert (call.home / ".local" / "share" / "postsched" / "postsched.db").is_file()
    assert call("--db", "flag.db", "list").code == 0
    assert (call.home / "flag.db").is_file()


def _rubbish(path: Path) -> None:
    path.write_bytes(b"rubbish" * 1000)


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("UPDATE meta SET value = '999' WHERE name = 'schema'")
        base.commit()


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE x (y)")


def _cut_off(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA journal_mode=DELETE")
    os.truncate(path, 10_000)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_rubbish, "is no SQLite database"),
        (_newer, "schema version 999"),
        (_foreign, "database of another program"),
        (_cut_off, "is damaged"),
    ],
)
def test_a_database_that_can_not_be_used(
    filled: Caller, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(filled.database)
    before = filled.database.read_bytes()
    for words in (("list",), ("add", "x", "--to", "me", "--in", "1h"), ("publish-due",), ("run",)):
        filled(*words).refused(4, str(filled.database), said)
    assert filled.database.read_bytes() == before


@pytest.mark.slow
def test_a_database_that_may_not_be_written(filled: Caller) -> None:
    prefix = bound_by_permissions()
    words = ("add", "x", "--to", "me", "--in", "1h")
    filled.database.chmod(0o400)
    filled.process(*words, prefix=prefix).refused(4, str(filled.database), "read-only")
    filled.database.chmod(0o600)
    filled.database.parent.chmod(0o500)
    filled.process(*words, prefix=prefix).refused(4, str(filled.database), "Check the")
    filled.database.parent.chmod(0o700)
    assert len(posts(filled.database)) == 1


@pytest.mark.slow
def test_a_database_that_is_locked(filled: Caller) -> None:
    """Slow, as commands are patient."""
    with closing(sqlite3.connect(filled.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert filled("list").code == 0
        filled("add", "x", "--to", "me", "--in", "1h").refused(4, "is locked by another process")
    assert len(posts(filled.database)) == 1


def test_a_full_disk(filled: Caller, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        filled.set(POSTSCHED_DB=str(disk / "posts.db"))
        assert filled("account", "add", "me", "--platform", "outbox").code == 0
        assert filled("add", "before", "--to", "me", "--in", "1h").code == 0
        filler = fill(disk)
        words = ("add", "during " + "x" * 30_000, "--to", "me", "--in", "1h")
        filled(*words).refused(4, str(disk / "posts.db"), "the disk is full")
        filled("--db", str(disk / "new.db"), "list").refused(4, "the disk is full")
        filler.unlink()
        assert posts(disk / "posts.db") == ["before"]
        assert filled("add", "after", "--to", "me", "--in", "1h").code == 0
        assert posts(disk / "posts.db") == ["before", "after"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'timezne = "UTC"', "Did you mean timezone?"),
        (b"[platforms.mastodon]\nurll = 'https://a.example'", "Did you mean url?"),
        (b"timezone = ", "is not valid TOML"),
        (b"timezone = 'Europe/Berln'", "Europe/Berlin"),
        (b"attempts = 'many'", "attempts"),
        (b"concurrency = true", "concurrency"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x = 1\n" * 200_000, "larger than a megabyte"),
    ],
)
def test_a_configuration_with_a_slip(
    call: Caller, tmp_path: Path, content: bytes, said: str
) -> None:
    config = tmp_path / "config.toml"
    config.write_bytes(content)
    call("--config", str(config), "list").refused(2, str(config), said)
    assert not call.database.exists()


def test_settings_for_a_platform_that_is_not_there(call: Caller, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[platforms.mastdon]\nurl = 'https://a.example'")
    answer = call("--config", str(config), "account", "list")
    assert answer.code == 0
    assert answer.err == (
        "postsched: warning: [platforms.mastdon] names no platform, and has no effect. "
        "Did you mean mastodon?\n"
    )


def test_a_configuration_that_is_not_there(call: Caller, tmp_path: Path) -> None:
    call("--config", str(tmp_path / "none.toml"), "list").refused(2, "none.toml", "does not exist")
    call("--config", str(tmp_path), "list").refused(2, "can't be read")
    call.set(POSTSCHED_CONFIG=str(tmp_path / "other.toml"))
    call("list").refused(2, "other.toml", "does not exist")


def test_a_traceback_only_for_those_who_ask(call: Caller) -> None:
    call.set(POSTSCHED_TOKEN_FAR="geheim\nzwei")
    url = "https://a.example"
    words = ("account", "add", "far", "--platform", "mastodon", "--url", url)
    call("-v", *words).refused(2, "POSTSCHED_TOKEN_FAR")
    answer = call("-vv", *words)
    assert answer.code == 2
    assert answer.err.startswith("Traceback (most recent call last)")
    assert answer.err.splitlines()[-1].startswith("postsched: POSTSCHED_TOKEN_FAR")
    assert "geheim" not in answer.err


def test_control_characters_are_shown_and_not_obeyed(filled: Caller) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07 \x9b31m"
    filled("show", evil).refused(2, "\\x1b[2J")
    filled("account", "show", evil).refused(3)
    assert filled("add", evil, "--to", "me", "--in", "1h").code == 0
    for words in (("list",), ("show", "2"), ("list", "--json"), ("history",), ("status",)):
        answer = filled.terminal(*words)
        assert "owned" in answer.out or words[0] in ("history", "status")
        assert "\x1b[2J" not in answer.out
        assert "\x07" not in answer.out
        assert "\x9b" not in answer.out


def test_colour_is_for_terminals_that_want_it(filled: Caller) -> None:
    for words in (("list",), ("show", "1"), ("status",), ("account", "list"), ("platforms",)):
        assert "\x1b[" in filled.terminal(*words).out
        assert not ESCAPES.search(filled(*words).out)
        assert filled.terminal(*words, "--json").out == filled(*words, "--json").out
    filled.set(NO_COLOR="1")
    assert not ESCAPES.search(filled.terminal("list").out)
    filled.set(NO_COLOR="", TERM="dumb")
    assert not ESCAPES.search(filled.terminal("list").out)


def test_tables_fit(filled: Caller) -> None:
    long = "A long text about nothing in particular, 你好世界, that has no end at all"
    assert filled("add", long, "--to", "me", "--in", "2h").code == 0
    for width in (60, 80, 120):
        filled.set(COLUMNS=str(width))
        lines = filled("list").out.splitlines()
        assert lines[1].startswith("Today, ")
        assert sum(line[:4].strip().isdigit() for line in lines) == 2, lines
        assert all(len(line) <= width for line in lines)
        (last,) = [line for line in lines if "A long" in line]
        assert ("…" in last) == (width < 100)
        assert (long in last) == (width > 100)


def shell(call: Caller, script: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script of sh in which `$P` is postsched."""
    return subprocess.run(
        ["sh", "-c", script],
        env=call.environ(P=f"{sys.executable} -m postsched", **environ),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.slow
def test_streams_that_are_closed_or_full(filled: Caller) -> None:
    """Also, the descriptors of closed ones are not taken by the database."""
    before = filled.database.read_bytes()
    done = shell(
        filled,
        "$P list >&-; echo $? >&2; $P list 2>&- >/dev/null; echo $? >&2; $P list >/dev/full;"
        "echo $? >&2; $P account set me --token-stdin <&-; echo $? >&2; $P nonsense 2>&-; echo $?",
    )
    lines = done.stderr.decode().splitlines()
    assert lines == [
        "0",
        "0",
        "postsched: the output can't be written: No space left on device",
        "1",
        "postsched: the secret is empty",
        "2",
    ]
    assert done.stdout == b"2\n"
    assert filled.database.read_bytes() == before


@pytest.mark.slow
def test_a_reader_that_has_gone(filled: Caller) -> None:
    with closing(sqlite3.connect(filled.database)) as base:
        base.execute("UPDATE posts SET text = ?", ("long " * 100_000,))
        base.commit()
    done = shell(filled, "{ $P show 1; echo $? >&2; } | head -c 10")
    assert (done.stdout, done.stderr) == (b"Post 1  sc", b"0\n")


@pytest.mark.slow
def test_an_encoding_that_can_not_say_everything(filled: Caller) -> None:
    done = shell(filled, "$P list && $P list --json && $P --help", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode("ascii")
    assert "Gr\\xfc\\xdfe \\U0001f44b" in said
    assert '"text": "Gr\\u00fc\\u00dfe \\ud83d\\udc4b' in said
    assert "Usage: postsched" in said


@pytest.mark.slow
def test_the_plainest_locale(filled: Caller) -> None:
    script = "$P add 'Grüße 👋' --to me --in 1h --json"
    done = shell(filled, script, LC_ALL="C", LANG="C")
    assert done.returncode == 0, done.stderr
    assert '"text": "Grüße 👋"' in done.stdout.decode()
    assert posts(filled.database)[1] == "Grüße 👋"


def test_ctrl_c(filled: Caller, tmp_path: Path) -> None:
    """While a command waits for its input, which is where it can take long."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "postsched", "add", "-", "--to", "me", "--in", "1h"],
        stdin=os.open(pipe, os.O_RDWR),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=filled.environ(),
    )
    waiting = Path(f"/proc/{process.pid}/wchan")
    if not waiting.exists():
        process.kill()
        pytest.skip("this system does not say what a process waits for")
    deadline = time.monotonic() + PATIENCE
    while "pipe" not in waiting.read_text() and "wait" not in waiting.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err
    assert len(posts(filled.database)) == 1
