"""The live view: what it says, what it costs, and a daemon that shows it on a terminal."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

pytest.importorskip("termios", reason="a terminal as on Unix")

from postsched.cli import scene
from postsched.cli.lookout import Lookout
from postsched.cli.scene import Scene
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.errors import StoreUnavailable
from postsched.domain.outcome import ErrorKind, Problem
from postsched.domain.post import Content
from postsched.engine.uploads import Amount, Uploads
from postsched.store.columns import micros
from postsched.store.upcoming import Coming
from postsched.testing.discord import DiscordServer
from postsched.testing.mastodon import TOKEN, MastodonServer
from postsched.testing.picture import png
from tests.cli.posting import Posting
from tests.cli.terminal import OnTerminal
from tests.servers import postgres
from tests.servers.narrow import Narrow

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
S = DeliveryStatus


def coming(n: int, seconds: float, account: str = "me", text: str = "Hello", **more: Any) -> Coming:
    at = NOW + timedelta(seconds=seconds)
    return Coming(at, more.pop("delivery", n), n, account, more.pop("status", S.SCHEDULED), text)


def shown(**more: Any) -> list[str]:
    """The block, as text."""
    return [line.plain.rstrip() for line in scene.block(Scene(NOW, BERLIN, **more))]


class TestBlock:
    """What is going on."""

    def test_the_next_posts_with_a_countdown(self) -> None:
        assert shown(waiting=[coming(3, 4), coming(12, 7200, text="Later")]) == [
            "next      today 13:00:04, in 4 seconds  post 3 on me   Hello",
            "          today 15:00, in 2 hours       post 12 on me  Later",
        ]

    def test_a_post_to_several_accounts_is_one_line(self) -> None:
        waiting = [coming(3, 4, "me", delivery=1), coming(3, 4, "work", delivery=2)]
        assert shown(waiting=waiting) == [
            "next      today 13:00:04, in 4 seconds  post 3 on me, work  Hello"
        ]

    def test_what_is_retried_is_called_so(self) -> None:
        (line,) = shown(waiting=[coming(3, 60, status=S.RETRYING)])
        assert "post 3 on me  retrying  Hello" in line

    def test_what_is_due_is_now(self) -> None:
        assert "now" in shown(waiting=[coming(3, 0.2)])[0]
        assert "now" in shown(waiting=[coming(3, -50)])[0]

    def test_a_narrow_terminal_shows_the_countdown(self) -> None:
        assert shown(waiting=[coming(3, 4)], columns=50) == [
            "next      in 4 seconds  post 3 on me  Hello"
        ]

    def test_many_are_counted(self) -> None:
        waiting = [coming(n, n) for n in range(20)]
        assert shown(waiting=waiting, beyond=3)[5:] == ["          and 18 more"]
        assert shown(waiting=waiting, beyond=980, many=True)[5:] == [
            "          and more than 995 more"
        ]

    def test_nothing_to_do_says_what_to_do(self) -> None:
        assert "postsched add" in shown()[0]
        assert "ends" in shown(until_idle=True)[0]

    def test_troubles_come_first(self) -> None:
        lines = shown(notes=[("database", "it is locked")], waiting=[coming(3, 4)])
        assert lines[0] == "database  it is locked"

    def test_texts_are_one_line_without_controls(self) -> None:
        (line,) = shown(waiting=[coming(3, 4, text="a\n\x1b[2Jb\x07\tc")])
        assert line.endswith("a \\x1b[2Jb\\x07 c")


def delivery(status: DeliveryStatus = S.PUBLISHED, **more: Any) -> Delivery:
    due = NOW - timedelta(seconds=1)
    return Delivery(1, 3, 1, "me", "outbox", due, due, None, status, **more)


def work(delivery: Delivery, text: str = "Hello") -> Any:
    """As much of a work as the view looks at."""
    return SimpleNamespace(delivery=delivery, post=SimpleNamespace(content=Content(text)))


class TestUploads:
    """How far the files have got."""

    def test_of_what_is_sent_and_of_what_is_prepared(self) -> None:
        flying, ahead = replace(delivery(S.PUBLISHING), id=7), replace(delivery(), id=8, post_id=4)
        uploads = {7: Amount(12_100_000, 28_000_000), 8: Amount(999_999, 1_000_000)}
        assert shown(sending=[(work(flying), 3.2)], preparing=[work(ahead)], uploads=uploads)[
            :2
        ] == [
            "sending   ↑ 43 %  12.1 of 28.0 MB, 3 s  post 3 on me  Hello",
            "uploading ↑ 99 %  1.0 of 1.0 MB  post 4 on me  Hello",
        ]

    def test_pieces_and_several_files_add_up(self) -> None:
        uploads = Uploads()
        uploads.watched = True
        with uploads.of(7) as upload:
            assert not uploads.any
            assert uploads.under_way(7) is upload
            upload.expect(1000)
            for sent, size in [(0, 400), (400, 400), (0, 400), (100, 400)]:
                upload(sent, size)
            assert uploads.amounts() == {7: Amount(500, 1000)}
            upload(400, 400)
            upload(0, 400)
            upload(400, 400)
            assert uploads.amounts() == {7: Amount(1200, 1200)}, "more than was expected"
            upload.restart()
            upload(0, 400)
            assert uploads.amounts() == {7: Amount(0, 1000)}, "the call is made again"
        assert not uploads.any

    def test_nobody_watches(self) -> None:
        uploads = Uploads()
        with uploads.of(7) as upload:
            upload(0, 400)
            assert not uploads.amounts()


class TestEvents:
    """What became of a post."""

    def test_a_failure_says_why_and_what_to_do(self) -> None:
        problem = Problem(ErrorKind.INVALID, "too long", hint="Shorten it")
        line = scene.event_line(NOW, "failed", delivery(S.FAILED, problem=problem), BERLIN)
        assert line.plain == "13:00:00  failed       post 3 on me  too long. Shorten it"

    def test_a_retry_says_when(self) -> None:
        problem = Problem(ErrorKind.TRANSIENT, "no connection")
        again = replace(delivery(S.RETRYING, problem=problem), next_at=NOW + timedelta(minutes=1))
        line = scene.event_line(NOW, "retrying", again, BERLIN)
        assert line.plain.endswith("post 3 on me  no connection; again in 1 minute")

    def test_a_missed_one_says_how_to_send_it(self) -> None:
        line = scene.event_line(NOW, "missed", delivery(S.MISSED), BERLIN)
        assert line.plain.endswith("postsched retry 3")


@contextmanager
def counting(database: Any) -> Iterator[list[str]]:
    """The statements sent to a database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


class Engine:
    """As much of an engine as the view looks at."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self.monotonic = 100.0
        self.clock = SimpleNamespace(monotonic=lambda: self.monotonic, now=lambda: NOW)
        self.dispatcher = SimpleNamespace(
            hands=SimpleNamespace(held={}, flying={}),
            cycle=SimpleNamespace(trouble=None),
            access=SimpleNamespace(shut={}),
        )


class TestLookout:
    """The database is read only after a change, and at most once a second."""

    @pytest.fixture
    def engine(self, cli: Posting) -> Iterator[Engine]:
        from postsched.store.opening import open_database

        database = open_database(postgres.place(cli.call.database))
        yield Engine(database)
        database.close()

    def test_it_reads_what_waits(self, cli: Posting, engine: Engine) -> None:
        cli("add", "Second", "--in", "2h")
        cli("add", "First", "--in", "1h", "--priority", "-1")
        cli("add", "Held", "--in", "1h")
        cli("pause", "3")
        lookout = Lookout(engine)  # type: ignore[arg-type]  # a stand-in
        lookout.look()
        assert [one.text for one in lookout.waiting()] == ["First", "Second"]
        assert (lookout.beyond, lookout.many) == (0, False)
        lookout.note(1)
        assert [one.text for one in lookout.waiting()] == ["First"], "the second has changed"

    def test_it_reads_after_a_change_and_seldom(self, cli: Posting, engine: Engine) -> None:
        cli("add", "First", "--in", "1h")
        lookout = Lookout(engine)  # type: ignore[arg-type]  # a stand-in
        with counting(engine.database) as sent:
            lookout.look()
            assert sent
            sent.clear()
            engine.monotonic += 3600
            lookout.look()
            assert not sent, "nothing has changed"
            lookout.note()
            lookout.look()
            assert sent
            sent.clear()
            lookout.note()
            engine.monotonic += 0.5
            lookout.look()
            assert not sent, "too soon"
            engine.monotonic += 0.6
            lookout.look()
            assert sent

    def test_troubles_are_told(self, cli: Posting, engine: Engine) -> None:
        cli("account", "add", "work", "--platform", "outbox")
        with cli.database() as base:
            base.execute(
                "UPDATE accounts SET state = 'login', state_message = 'refused' WHERE id = 1"
            )
        cli("pause", "--account", "work")
        cli("pause", "--all")
        lookout = Lookout(engine)  # type: ignore[arg-type]  # a stand-in
        lookout.look()
        assert [label for label, _ in lookout.notes()] == ["paused", "held", "paused"]
        assert lookout.notes()[1][1] == "me: refused"
        engine.dispatcher.cycle.trouble = StoreUnavailable("the database is locked")
        assert lookout.notes()[0][0] == "database"

    def test_a_login_that_ends_within_a_week(self, cli: Posting, engine: Engine) -> None:
        for days in (8, 6, -1):
            end = micros(NOW + timedelta(days=days))
            with cli.database() as base:
                base.execute("UPDATE accounts SET token_expires_at = ?", (end,))
            lookout = Lookout(engine)  # type: ignore[arg-type]  # a stand-in
            lookout.look()
            said = {8: [], 6: ["ends in 6 days"], -1: ["ended 1 day ago"]}[days]
            mend = "postsched account set me --token-stdin"
            assert lookout.notes() == [("login", f"me {one}: {mend}") for one in said]

    def test_a_database_that_fails_is_told_and_read_again(self, engine: Engine) -> None:
        lookout = Lookout(engine)  # type: ignore[arg-type]  # a stand-in
        whole, engine.database = engine.database, SimpleNamespace(read=unreadable)
        lookout.look()
        assert "is gone" in lookout.notes()[0][1]
        engine.database = whole
        engine.monotonic += 2
        lookout.look()
        assert lookout.notes() == []


def unreadable() -> None:
    raise StoreUnavailable("the database is gone")


@contextmanager
def daemon(cli: Posting, *options: str, columns: int = 100, rows: int = 30) -> Iterator[OnTerminal]:
    """`postsched run` on a terminal, up and listening."""
    command = [sys.executable, "-m", "postsched", "run", *options]
    with OnTerminal(command, cli.call.environ(), columns, rows) as program:
        program.wait_for("running with")
        yield program


class TestOnATerminal:
    """The real daemon."""

    def test_it_shows_what_is_next_and_what_went_out(self, cli: Posting) -> None:
        cli("add", "Later", "--in", "1h")
        with daemon(cli) as program:
            program.wait_for("in 60 minutes")
            cli("add", "Hello", "--at", "now")
            program.wait_for("published    post 2 on me")
            assert "outbox/me/index.html#" in program.text.replace("\n", "")
            assert program.lines[-1].startswith("next")
            assert not program.echoes
            program.process.send_signal(signal.SIGTERM)
            assert program.end() == 0
            program.wait_for("stopped: 1 published")
            assert program.echoes
            assert not any(line.startswith("next") for line in program.lines)

    def test_ctrl_c_ends_it_in_order(self, cli: Posting) -> None:
        with daemon(cli) as program:
            program.wait_for(lambda: not program.echoes)
            program.type("\x03")
            assert program.end() == 0
            program.wait_for("stopped: nothing was due")
            assert "^C" not in program.text

    @pytest.mark.slow
    def test_it_says_why_something_failed(self, cli: Posting) -> None:
        unplug(cli)
        cli.call.set(POSTSCHED_ATTEMPTS="1")
        cli("add", "Hello", "--at", "now")
        with daemon(cli, "--until-idle") as program:
            assert program.end() == 1
            program.wait_for("stopped: 1 failed")
            assert "failed       post 1 on me  the outbox folder" in program.text
            assert "Bring it back" in program.text.replace("\n", "")

    @pytest.mark.slow
    def test_warnings_appear_above_the_block(self, cli: Posting, tmp_path: Path) -> None:
        (tmp_path / "cat.png").write_bytes(png())
        cli("add", "Look", "--in", "5m", "--media", str(tmp_path / "cat.png"))
        unplug(cli)
        with daemon(cli) as program:
            program.wait_for("warning      me: can't be prepared yet")
            program.wait_for(lambda: program.lines[-1].startswith("next"))

    @pytest.mark.slow
    def test_a_paused_account_is_shown_and_does_not_keep_it(self, cli: Posting) -> None:
        cli("add", "Hello", "--at", "now")
        cli("pause", "--account", "me")
        with daemon(cli) as program:
            program.wait_for("paused    me: postsched resume --account me")
            cli("resume", "--account", "me")
            program.wait_for("published")
            program.wait_for(lambda: "paused    me" not in "\n".join(program.lines[-4:]))

    @pytest.mark.slow
    def test_a_database_that_is_locked_is_shown_until_it_works(self, cli: Posting) -> None:
        with daemon(cli) as program:
            cli("add", "Hello", "--in", "1s")
            with cli.database() as base:
                base.execute("BEGIN IMMEDIATE")
                program.wait_for(lambda: any(line.startswith("database") for line in program.lines))
                base.rollback()
            program.wait_for("published    post 1 on me")
            program.wait_for(lambda: program.lines[-1].startswith("next      nothing"))
            assert "error        the database" in program.text

    @pytest.mark.slow
    def test_a_terminal_that_takes_nothing_holds_up_nothing(self, cli: Posting) -> None:
        with daemon(cli) as program:
            program.reading.clear()
            for number in range(60):
                cli("add", f"Post {number}, long enough to fill what the terminal takes" * 8,
                    "--at", "now")  # fmt: skip
            program.wait_for(
                lambda: (
                    cli.rows("SELECT count(*) FROM deliveries WHERE status <> 'published'")
                    == [(0,)]
                )
            )
            program.process.send_signal(signal.SIGTERM)
            assert program.end() == 0

    @pytest.mark.slow
    def test_it_survives_being_made_small_and_large(self, cli: Posting) -> None:
        cli("add", "Hello", "--in", "1h")
        with daemon(cli) as program:
            program.wait_for("in 60 minutes")
            program.resize(12, 3)
            program.wait_for(lambda: program.lines[-1:] == ["next      …"])
            program.resize(1, 1)
            program.resize(100, 30)
            program.wait_for(lambda: "post 1 on me  Hello" in program.lines[-1])
            assert sum(line.startswith("next") for line in program.lines) == 1

    @pytest.mark.slow
    def test_it_shows_how_far_an_upload_has_got(self, cli: Posting, tmp_path: Path) -> None:
        """Ahead of a post, and with one: Mastodon takes its files before, Discord with it."""
        (tmp_path / "noise.png").write_bytes(png(1600, 1700, Random(1)))
        with MastodonServer() as ahead, DiscordServer() as along, ExitStack() as stack:
            one, other = (stack.enter_context(Narrow(server.url)) for server in (ahead, along))
            hook = along.webhook_url.replace(along.url, other.url)
            for name, platform, url, secret in (
                ("m", "mastodon", one.url, TOKEN),
                ("d", "discord", other.url, hook),
            ):
                words = "account", "add", name, "--platform", platform, "--url", url
                cli(*words, "--token-stdin", stdin=secret)
                cli.call.set(**{f"POSTSCHED_TOKEN_{name.upper()}": secret})
            cli("add", "Ahead", "--to", "m", "--in", "5m", "--media", str(tmp_path / "noise.png"))
            cli(
                "add", "With it", "--to", "d", "--at", "now", "--media", str(tmp_path / "noise.png")
            )
            with daemon(cli) as program:
                for line in (
                    r"uploading ↑ \d\d? %  \d\.\d of 8\.2 MB  post 1 on m  Ahead",
                    r"sending   ↑ \d\d? %  \d\.\d of 8\.2 MB, \d+ s  post 2 on d  With it",
                ):
                    program.wait_for(partial(seen, program, line))
                one.open()
                other.open()
                program.wait_for("published    post 2 on d")
                program.wait_for(lambda: "↑" not in "\n".join(program.lines))
                assert program.lines[-1].startswith("next")

    @pytest.mark.slow
    def test_many_posts_are_no_burden(self, cli: Posting) -> None:
        rows = "".join(f"Post {n},me,in 1 hour\n" for n in range(3000))
        cli("import", "-", "--format", "csv", stdin=f"text,to,at\n{rows}")
        with daemon(cli) as program:
            program.wait_for("and more than 995 more")
            before, sent = cpu(program), len(program.sent)
            cli("add", "Now", "--at", "now")
            program.wait_for("published    post 3001")
            assert cpu(program) - before < 2
            assert len(program.sent) - sent < 20_000

    @pytest.mark.slow
    @pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {}])
    def test_where_no_view_is_possible_there_are_log_lines(
        self, cli: Posting, environ: dict[str, str]
    ) -> None:
        options = [] if environ else ["--no-live"]
        command = [sys.executable, "-m", "postsched", "run", "--until-idle", *options]
        cli("add", "Hello", "--at", "now")
        with OnTerminal(command, cli.call.environ(**environ)) as program:
            assert program.end() == 0
            program.wait_for("Z stopped: 1 published")
            assert "\x1b" not in program.sent


def seen(program: OnTerminal, line: str) -> bool:
    """Whether the screen shows, or has shown, a line like that."""
    return bool(re.search(line, program.text))


def unplug(cli: Posting) -> None:
    """Take the account's folder away."""
    folder = cli.call.database.parent / "outbox" / "me"
    os.rename(folder, folder.with_name("away"))


def cpu(program: OnTerminal) -> float:
    """Processor seconds that the program has used."""
    fields = Path(f"/proc/{program.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
