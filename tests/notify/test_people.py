"""A command, the desktop, Apprise: what they are given, and that none of them holds anybody up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postsched.domain.notice import Event, Message, Told
from postsched.domain.telling import text, title
from postsched.notify import apprised, child, command, targets
from tests.servers.receiver import Receiver

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
ERROR = {"kind": "permanent", "message": "the text is too long", "hint": "Shorten it"}
FAILED = {"id": 7, "post_id": 3, "account": "me", "occurrence": "2026-11-27T12:00:00Z",
          "url": None, "error": ERROR}  # fmt: skip
MESSAGE = Message("msg_1", Event.FAILED, AT, "me", (FAILED,))
LOGIN = {"account": "me", "token_expires_at": "2026-11-30T12:00:00Z", "message": None}
ENVIRON = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.mark.parametrize(
    ("event", "items", "words"),
    [
        (Event.FAILED, [FAILED], ["a post to me failed", "too long. Shorten it", "show 3"]),
        (Event.FAILED, [FAILED] * 9, ["9 posts to me failed", "list --all --status failed"]),
        (Event.MISSED, [FAILED], ["missed its time", "retry 3", "cancel 3. What was in the way: "]),
        (Event.UNCONFIRMED, [FAILED], ["must be looked at", "resolve 3 published|absent"]),
        (Event.PUBLISHED, [{**FAILED, "url": "https://a/1"}], ["published", "https://a/1"]),
        (Event.LOGIN_EXPIRING, [LOGIN], ["the login of me ends soon", "2026-11-30 12:00 UTC"]),
        (Event.LOGIN_EXPIRED, [{**LOGIN, "message": "Log in: X"}], ["me is held", "Log in: X"]),
        (Event.TEST, [{}], ["test"]),
    ],
)
def test_what_people_read_says_what_to_do(
    event: Event, items: list[dict[str, object]], words: list[str]
) -> None:
    message = Message("m", event, AT, "me", items)
    said = f"{title(message)}\n{text(message)}"
    for word in words:
        assert word in said, said
    long = {**FAILED, "error": {"message": "x" * 5000}}
    assert len(text(Message("m", event, AT, "me", [{**long, **LOGIN}]))) <= 600


def tell(program: str, message: Message = MESSAGE) -> Told:
    given = (sys.executable, "-c", program)
    return asyncio.run(command.tell(given, message, ENVIRON))


def test_a_command_is_given_all_of_it(tmp_path: Path) -> None:
    place = tmp_path / "got"
    program = (
        "import json, os, sys; json.dump([json.load(sys.stdin), dict(os.environ)], "
        f"open({str(place)!r}, 'w'))"
    )
    many = Message("m", Event.FAILED, AT, "me", [FAILED] * 30)
    assert tell(program, many) == Told()
    given, environ = json.loads(place.read_text())
    assert (given["type"], given["timestamp"]) == ("failed", "2026-11-27T12:00:00Z")
    assert (given["data"]["count"], len(given["data"]["deliveries"])) == (30, 20)
    assert environ["POSTSCHED_EVENT_TYPE"] == "failed"
    assert (environ["POSTSCHED_EVENT_COUNT"], environ["POSTSCHED_EVENT_POST"]) == ("30", "3")
    assert "30 posts" in environ["POSTSCHED_EVENT_TITLE"]


@pytest.mark.parametrize(
    ("program", "words"),
    [("import sys; sys.exit('no\\nbell')", ["ended with 1", "no bell"]),
     ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", ["ended with -15"]),
     ("print('x' * 10_000_000)", [])],
)  # fmt: skip
def test_what_becomes_of_a_command(program: str, words: list[str]) -> None:
    told = tell(program)
    assert (told.problem is None) == (not words)
    for word in words:
        assert word in (told.problem or "")


def test_a_command_that_is_not_there_is_told_of() -> None:
    told = asyncio.run(command.tell(("/nowhere/hook", "x"), MESSAGE, ENVIRON))
    assert told.problem == "the command /nowhere/hook can't be started: No such file or directory"
    assert asyncio.run(command.tell(("a\0b",), MESSAGE, ENVIRON)).problem


def test_one_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    place = tmp_path / "child"
    program = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"open({str(place)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    )
    words = (sys.executable, "-c", program)

    async def impatient() -> child.Ended:
        async def until_there() -> None:
            while not place.exists() or not place.read_text():
                await asyncio.sleep(0.01)

        running = asyncio.create_task(child.run(words, "", ENVIRON, 60))
        await asyncio.wait_for(until_there(), 20)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return await child.run((sys.executable, "-c", "import time; time.sleep(60)"), "", ENVIRON,
                               0.05)  # fmt: skip

    assert asyncio.run(impatient()).code is None
    deadline = time.monotonic() + 10
    while _lives(int(place.read_text())):
        assert time.monotonic() < deadline, "its child outlived it"
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.slow
def test_apprise_tells_each_target_once_and_shows_none(receiver: Receiver) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    host = receiver.url.removeprefix("http://")
    given = (f"json://me:s3cretword@{host}/answer/500", f"json://{host}/well")
    told = asyncio.run(targets.tell(given, MESSAGE, ENVIRON))
    assert told.problem
    assert told.problem.startswith("target 1 (json://…): ")
    assert "s3cretword" not in told.problem
    (well,) = receiver.at("/well")
    assert well.json["title"] == title(MESSAGE)
    assert well.json["message"] == text(MESSAGE)
    again = Message("msg_1", Event.FAILED, AT, "me", (FAILED,), told.done)
    told = asyncio.run(targets.tell((given[1], given[0]), again, ENVIRON))
    assert len(receiver.at("/well")) == 1, "it has got it already"
    assert len(told.done) == 1
    unknown = asyncio.run(targets.unknown(["nowhere://s3cretword", "desktop", given[1]]))
    assert unknown == ["target 1 (nowhere://…): apprise knows no such address"]


def test_without_apprise_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    told = asyncio.run(targets.tell(("json://x",), MESSAGE, ENVIRON))
    assert told.problem == "target 1 (json://…): it needs Apprise: pip install 'postsched[notify]'"


def test_no_piece_of_an_address_is_in_what_a_service_says() -> None:
    target = "slack://TokenA1/TokenB2/c%20hannel?key=abc123"
    said = apprised.scrubbed("could not POST to TokenA1 (TokenB2), c hannel: abc123", target)
    for piece in ("TokenA1", "TokenB2", "abc123", "c hannel"):
        assert piece not in said


@pytest.mark.skipif(sys.platform != "linux", reason="notify-send is of Linux")
def test_the_desktop_is_told_by_its_own_program(tmp_path: Path) -> None:
    program = tmp_path / "notify-send"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([sys.argv, dict(os.environ)], open({str(tmp_path / 'got')!r}, 'w'))\n"
    )
    program.chmod(0o700)
    (tmp_path / "bus").touch()
    environ = {"PATH": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    marked = Message("m", Event.LOGIN_EXPIRED, AT, "me", [{"message": "<b>Log in</b> & more"}])
    assert asyncio.run(targets.tell(("desktop",), marked, environ)).problem is None
    words, seen = json.loads((tmp_path / "got").read_text())
    assert words[-2] == "postsched: me is held"
    assert words[-1].endswith("&lt;b&gt;Log in&lt;/b&gt; &amp; more")
    assert seen["DBUS_SESSION_BUS_ADDRESS"] == f"unix:path={tmp_path}/bus"
    program.write_text("#!/bin/sh\necho no server >&2\nexit 1\n")
    told = asyncio.run(targets.tell(("desktop",), marked, environ))
    assert told.problem == "desktop: no server"
