"""doctor: each thing that can be wrong, what it says of it, and that it says the rest as well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import keyring
import pytest

from postsched.domain.secret import Secret
from postsched.secrets import Secrets
from postsched.testing.picture import png
from postsched.wakeup import Bell, folder_of, new_mark
from tests.cli.calling import Answer, Caller
from tests.secrets import backends
from tests.servers import postgres
from tests.store.disks import small_disk

NEVER = 4_102_444_800_000_000
"""Microseconds: the year 2100."""


@pytest.fixture(scope="module")
def mould(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first home that is filled is kept, for the others to be copies of it."""
    return tmp_path_factory.mktemp("mould") / "data"


@pytest.fixture
def cli(call: Caller, mould: Path) -> Caller:
    """A caller with an outbox, and an account on Mastodon without a secret."""
    if mould.exists() and not postgres.is_used():
        shutil.copytree(mould, call.database.parent)
        return call
    assert call("account", "add", "me", "--platform", "outbox").code == 0
    words = ("account", "add", "far", "--platform", "mastodon", "--url", "https://a.example")
    assert call(*words).code == 0
    if not postgres.is_used():
        shutil.copytree(call.database.parent, mould)
    return call


def found(answer: Answer, check: str) -> list[tuple[str, str, str | None]]:
    """What was found at a check."""
    return [(f["state"], f["message"], f["hint"]) for f in answer.json if f["check"] == check]


def the(answer: Answer, check: str) -> tuple[str, str, str]:
    """The one thing that was found at a check."""
    ((state, message, hint),) = found(answer, check)
    return state, message, hint or ""


@contextmanager
def database(call: Caller) -> Iterator[Any]:
    """The database behind the program's back."""
    with postgres.behind(call.database) as base:
        yield base


def update(call: Caller, table: str, where: str = "1 = 1", **values: Any) -> None:
    """Change rows."""
    columns = ", ".join(f"{name} = ?" for name in values)
    with database(call) as base:
        base.execute(f"UPDATE {table} SET {columns} WHERE {where}", tuple(values.values()))


def micros(moment: datetime) -> int:
    """An instant as the database has it."""
    return round(moment.timestamp() * 1_000_000)


@pytest.mark.sqlite
def test_a_new_home_is_healthy_and_left_as_it_is(call: Caller) -> None:
    answer = call("doctor", "--json")
    assert answer.code == 0, answer
    assert not answer.err
    assert {f["state"] for f in answer.json} == {"ok"}
    assert all(set(f) == {"check", "state", "message", "hint"} for f in answer.json)
    assert "is made when" in the(answer, "database")[1]
    assert list(call.home.iterdir()) == []


def test_all_is_well(cli: Caller) -> None:
    Secrets({}).write("far", Secret("tok"))
    update(cli, "accounts", state="ok")
    answer = cli("doctor", "--json")
    assert answer.code == 0, answer.out
    assert the(answer, "account far")[1] == "mastodon, secret in the keyring"
    assert the(answer, "account me")[1] == "outbox, no secret needed"
    assert the(answer, "keyring")[1].endswith("Memory")
    assert the(answer, "service") == ("ok", "not running, and nothing waits", "")
    page = cli("doctor")
    assert page.code == 0
    if not postgres.is_used():  # that of the tests does not wait for its disk
        assert all(line.startswith("ok ") for line in page.out.splitlines())


def test_the_page_says_what_to_do_below(cli: Caller) -> None:
    answer = cli("doctor")
    assert answer.code == 1
    lines = answer.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("problem  account far"))
    assert "there is no secret for it" in lines[at]
    assert lines[at + 1].strip().startswith("Give it one with: postsched account login far")


@pytest.mark.sqlite
def test_a_database_that_was_moved_away_from_its_log(cli: Caller) -> None:
    cli.database.with_name(cli.database.name + "-wal").touch()
    cli.database.rename(cli.database.with_name("away"))
    state, message, hint = the(cli("doctor", "--json"), "database")
    assert (state, "is gone, but its log" in message) == ("problem", True)
    assert hint.startswith("Put it back")


@pytest.mark.sqlite
def test_what_can_not_be_opened_leaves_the_rest(cli: Caller) -> None:
    cli.database.write_bytes(b"rubbish" * 1000)
    answer = cli("doctor", "--json")
    answer.refused(4, "database")  # scripts look at stderr
    state, message, hint = the(answer, "database")
    assert (state, "no SQLite database" in message, bool(hint)) == ("problem", True, True)
    assert the(answer, "clock")[0] == "ok"
    assert the(answer, "platforms")[0] == "ok"


@pytest.mark.sqlite
def test_damage_is_found(cli: Caller) -> None:
    with database(cli) as base:
        base.execute("PRAGMA journal_mode=DELETE")
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'attempts'"
        (root,) = base.execute(query).fetchone()
    with cli.database.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    answer = cli("doctor", "--json")
    assert answer.code == 1
    state, message, hint = the(answer, "integrity")
    assert state == "problem"
    assert "is damaged" in message
    assert "postsched restore FILE" in hint
    assert the(answer, "database")[0] == "ok"


@pytest.mark.sqlite
def test_rows_without_what_they_belong_to_are_found(cli: Caller) -> None:
    with database(cli) as base:
        base.execute("INSERT INTO group_members VALUES (7, 1)")
    answer = cli("doctor", "--json")
    assert the(answer, "integrity")[0] == "problem"
    assert "group_members" in the(answer, "integrity")[1]


@pytest.mark.sqlite
def test_what_a_killed_restore_has_left(cli: Caller, tmp_path: Path) -> None:
    from postsched.service.workplace import LOCK, beside

    assert cli("backup", str(tmp_path / "b.zip")).code == 0
    with beside(cli.database) as working:
        assert found(cli("doctor", "--json"), "left behind") == [], "somebody works in it"
        left = working.with_name(f".{cli.database.name}-abcdefg1")
        left.mkdir()
        (left / LOCK).touch()
        ((state, message, hint),) = found(cli("doctor", "--json"), "left behind")
        assert (state, hint) == ("warning", f"rm -r {left}")
        assert str(left) in message
        assert cli("restore", str(tmp_path / "b.zip"), "--yes").code == 0
        assert not left.exists()
        assert working.exists()
    assert not working.exists()


@pytest.mark.sqlite
def test_a_file_that_others_can_read(cli: Caller) -> None:
    cli.database.chmod(0o644)
    state, message, hint = the(cli("doctor", "--json"), "permissions")
    assert (state, message) == ("warning", "others can read the database (mode 644)")
    assert hint.startswith(f"chmod 600 {cli.database}")


@pytest.mark.sqlite
def test_a_disk_that_is_nearly_full(call: Caller, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        call.set(POSTSCHED_DB=str(disk / "posts.db"))
        answer = call("doctor", "--json")
    assert answer.code == 1
    state, message, hint = the(answer, "disk")
    assert (state, "MB free for the database" in message) == ("problem", True)
    assert "Free some space" in hint


def test_settings_that_have_no_effect(cli: Caller, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[platforms.mastodn]\nurl = "https://a.example"\n')
    cli.set(POSTSCHED_CONFIG=str(config), POSTSCHED_TIMZONE="UTC")
    answer = cli("doctor", "--json")
    slip = "not known and has no effect: did you mean"
    nothing = "names no platform, and has no effect"
    assert found(answer, "settings") == [
        ("ok", str(config), None),
        ("warning", f"the variable POSTSCHED_TIMZONE is {slip} POSTSCHED_TIMEZONE?", None),
        ("warning", f"[platforms.mastodn] {nothing}", "Did you mean mastodon?"),
    ]
    assert not answer.err


def test_settings_that_can_not_be_read_leave_the_rest(cli: Caller, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("timezone =")
    answer = cli("--config", str(config), "doctor", "--json")
    assert answer.code == 1
    ((state, message, _),) = found(answer, "settings")
    assert (state, "is not valid TOML" in message) == ("problem", True)
    assert the(answer, "database")[0] == "ok"
    assert the(answer, "account me")[0] == "ok"


def test_a_zone_that_does_not_exist(cli: Caller) -> None:
    cli.set(TZ="Nowhere/Land")
    answer = cli("doctor", "--json")
    state, message, hint = the(answer, "time zone")
    assert (state, "Nowhere/Land" in message) == ("problem", True)
    assert "Europe/Berlin" in hint
    assert the(answer, "platforms")[0] == "ok"


def test_a_clock_that_is_behind(cli: Caller) -> None:
    assert cli("add", "Hello", "--to", "me", "--in", "1h").code == 0
    assert the(cli("doctor", "--json"), "clock")[0] == "ok"
    update(cli, "deliveries", finished_at=NEVER)
    answer = cli("doctor", "--json")
    state, message, hint = the(answer, "clock")
    assert (state, "2100-01-01" in message) == ("problem", True)
    assert "NTP" in hint
    assert answer.code == 1


def test_no_keyring(cli: Caller) -> None:
    keyring.set_keyring(backends.Missing())  # type: ignore[no-untyped-call]  # has no types
    answer = cli("doctor", "--json")
    assert answer.code == 1
    assert the(answer, "keyring")[0] == "problem"
    assert "no keyring" in the(answer, "keyring")[1]
    assert "can't be read" in the(answer, "account far")[1]
    cli.set(POSTSCHED_TOKEN_FAR="tok")
    answer = cli("doctor", "--json")
    assert "none is needed" in the(answer, "keyring")[1]
    assert "secret in the environment" in the(answer, "account far")[1]


def test_a_secret_in_the_environment_that_is_none(cli: Caller) -> None:
    cli.set(POSTSCHED_TOKEN_FAR="two\nlines")
    state, message, _ = the(cli("doctor", "--json"), "account far")
    assert state == "problem"
    assert "POSTSCHED_TOKEN_FAR: the secret has a line break" in message


def test_logins(cli: Caller) -> None:
    Secrets({}).write("far", Secret("tok"))
    now = datetime.now(UTC)
    state, message, hint = the(cli("doctor", "--json"), "account far")
    assert (state, hint) == ("warning", "postsched account check far")
    update(cli, "accounts", "name = 'far'", state="login", state_message="HTTP 401")
    state, message, hint = the(cli("doctor", "--json"), "account far")
    assert (state, message) == ("problem", "it is held: HTTP 401")
    assert "postsched account login far" in hint
    ended = micros(now - timedelta(days=3, hours=1))
    update(cli, "accounts", "name = 'far'", state="ok", token_expires_at=ended)
    state, message, _ = the(cli("doctor", "--json"), "account far")
    assert (state, message) == ("problem", "its login ended 3 days ago")
    soon = micros(now + timedelta(days=3, hours=1))
    update(cli, "accounts", "name = 'far'", token_expires_at=soon)
    state, message, _ = the(cli("doctor", "--json"), "account far")
    assert (state, message) == ("warning", "its login ends in 3 days")
    update(cli, "accounts", "name = 'far'", token_expires_at=NEVER, paused=1)
    assert the(cli("doctor", "--json"), "account far")[1].endswith("in the keyring, paused")


def test_media_that_are_gone(cli: Caller, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    words = ("--media", str(tmp_path / "cat.png"), "--alt", "a cat", "--in", "1h", "--to", "me")
    assert cli("add", "A cat", *words).code == 0
    assert the(cli("doctor", "--json"), "media")[1].startswith("1 media file in ")
    for path in (cli.database.parent / "media").rglob("*"):
        if path.is_file():
            path.unlink()
    state, message, _ = the(cli("doctor", "--json"), "media")
    assert state == "problem"
    assert "1 media file of 1 that posts name" in message


def test_whether_anybody_sends(cli: Caller) -> None:
    assert cli("add", "Hello", "--to", "me", "--in", "1h").code == 0
    state, message, hint = the(cli("doctor", "--json"), "service")
    assert (state, message) == ("warning", "posts wait, and nothing runs")
    assert "postsched run" in hint
    late = micros(datetime.now(UTC) - timedelta(minutes=10, seconds=1))
    update(cli, "deliveries", due_at=late, next_at=late)
    answer = cli("doctor", "--json")
    assert answer.code == 1
    state, message, _ = the(answer, "service")
    assert (state, "10 minutes ago, and nothing runs" in message) == ("problem", True)
    assert cli("pause", "--all").code == 0
    states = [state for state, *_ in found(cli("doctor", "--json"), "service")]
    assert states == ["warning", "ok"]


@pytest.mark.sqlite
def test_workers_that_live_and_that_are_dead(cli: Caller) -> None:
    bell = Bell(folder_of(cli.database), new_mark())
    with database(cli) as base:
        for pid, mark in ((11, bell.path.stem), (12, "gone")):
            base.execute(
                "INSERT INTO workers (host, boot, pid, kind, mark, since) "
                "VALUES ('host', 'boot', ?, 'run', ?, 0)",
                (pid, mark),
            )
    answer = cli("doctor", "--json")
    assert the(answer, "service") == ("ok", "running: process 11", "")
    state, message, _ = the(answer, "workers")
    assert (state, message) == ("warning", "1 process ended without signing off")
    assert [worker["pid"] for worker in cli("status", "--json").json["workers"]] == [11]
    bell.take_down(keep=True)
    Bell(folder_of(cli.database), new_mark()).take_down(keep=True)
    assert the(cli("doctor", "--json"), "workers")[1].startswith("3 processes ended")


@pytest.mark.slow
def test_a_platform_that_can_not_be_loaded(cli: Caller, tmp_path: Path) -> None:
    plugin = tmp_path / "broken-1.0.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (plugin / "entry_points.txt").write_text("[postsched.platforms]\nbroken = nowhere:Nothing\n")
    update(cli, "accounts", "name = 'far'", platform="broken")
    path = f"{cli.environ()['PYTHONPATH']}:{tmp_path}"
    answer = cli.process("doctor", "--json", environ={"PYTHONPATH": path})
    assert answer.code == 1, answer
    (state, message, hint), (good, names, _) = found(answer, "platforms")
    assert (state, good) == ("warning", "ok")
    assert "'broken' (nowhere:Nothing) can't be loaded" in message
    assert hint
    assert "outbox" in names
    assert the(answer, "account far")[0] == "problem"


def test_tokens_of_no_use_and_halves_of_settings(
    cli: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(cli("doctor", "--json"), "serve") == []
    monkeypatch.setenv("POSTSCHED_WEB_HOST", "0.0.0.0")
    assert "it lets nobody in" in the(cli("doctor", "--json"), "serve")[1]
    for name in ("old", "idle", "used"):
        assert cli("token", "add", name, "--scope", "read").code == 0
    with database(cli) as connection:
        connection.execute("UPDATE tokens SET expires_at = made_at WHERE name = 'old'")
        connection.execute("UPDATE tokens SET made_at = 0 WHERE name = 'idle'")
    monkeypatch.setenv("POSTSCHED_WEB_JWT_ALGORITHM", "HS256")
    monkeypatch.setenv("POSTSCHED_WEB_JWT_ISSUER", "https://id.test")
    monkeypatch.setenv("POSTSCHED_WEB_JWT_JWKS_URL", "https://id.test/jwks")
    said = "\n".join(message for _, message, _ in found(cli("doctor", "--json"), "serve"))
    for words in (
        "the token old has expired", "nobody has shown the token idle", "2 tokens can be shown",
        "and no jwt_audience: it will not start", "[web] jwt_jwks_url has no effect",
    ):  # fmt: skip
        assert words in said, said
