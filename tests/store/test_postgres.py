"""What is particular to PostgreSQL: gates, turns beside each other, words for what fails.

Turns that are open at the same time are those of two workers; where one has to wait for the other,
it is in a thread, and seen waiting by the server.
"""

from __future__ import annotations

import itertools
import select
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, text

from postsched.domain import holding, moves
from postsched.domain.account import Account, AccountState
from postsched.domain.capabilities import Guarantee
from postsched.domain.delivery import Attempt, Claim, DeliveryStatus
from postsched.domain.errors import StoreBusy, StoreRefused, StoreUnavailable
from postsched.domain.holding import Hold, Why
from postsched.domain.outcome import ErrorKind, Limit, Problem, Published, Retry
from postsched.store import accounts as account_rows
from postsched.store import age, holds, lanes, migrations, queue, said_limits, workers, zone_notes
from postsched.store.database import Database
from postsched.store.holds import Call
from postsched.store.listening import Listener
from postsched.store.opening import open_database
from postsched.store.postgres import IDLE
from postsched.store.sharing import GATES, gate_of, take_time
from tests.servers import postgres
from tests.store import claiming, rows
from tests.store.rows import NOON, claim_of, read

pytestmark = pytest.mark.skipif(postgres.missing() is not None, reason=f"needs: {postgres.WHY}")
S = DeliveryStatus
SILENT = Problem(ErrorKind.TRANSIENT, "no answer", silent=True)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
AND wait_event_type = 'Lock'"
COMMAND = 0
"""Stands for a command, which is no worker."""


@pytest.fixture
def place(tmp_path: Path) -> str:
    """The URL of a database with our tables."""
    return postgres.database(str(tmp_path / "server"))


@pytest.fixture
def base(place: str) -> Iterator[Database]:
    """It, opened."""
    with closing(open_database(place, patience=10)) as opened:
        yield opened


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for those that are to wait."""
    with ThreadPoolExecutor(4) as threads:
        yield threads


def beside(
    pool: ThreadPoolExecutor, base: Database, worker: int, act: Callable[[Connection], Any]
) -> Future[Any]:
    """Begin a turn of that worker (0: a command's transaction) in another thread."""

    def whole() -> Any:
        with base.turn(worker) if worker else base.write() as connection:
            return act(connection)

    return pool.submit(whole)


def waits(connection: Connection) -> None:
    """Come back once somebody waits for a lock."""
    deadline = threading.Event()
    for _ in range(1000):
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        if connection.scalar(text(WAITING)):
            return
        deadline.wait(0.01)
    raise AssertionError("nobody waits")


def posts(base: Database, count: int, name: str = "me") -> tuple[Account, list[int]]:
    """An account, and posts to it that are due."""
    with base.write() as connection:
        account = rows.account(connection, name)
        due = [NOON + timedelta(seconds=n) for n in range(count)]
        return account, [rows.post(connection, "x", [account], at)[0] for at in due]


def claim(connection: Connection, worker: int, limit: int = 10) -> list[int]:
    """Claim what is due, as that worker."""
    held = claim_of(f"w{worker}", worker)
    (lane,) = lanes.waiting_lanes(connection)
    later = NOON + timedelta(minutes=1)
    return queue.claim(connection, lane, limit, later, NOON, held)[0]


def refusal(place: str) -> str:
    """What opening it comes to, in one line."""
    with pytest.raises(StoreUnavailable) as refused:
        open_database(place, patience=0.2)
    assert refused.value.hint
    said = f"{refused.value.message} {refused.value.hint}"
    assert "\n" not in said
    return said


def test_whoever_comes_first_makes_the_tables(pool: ThreadPoolExecutor) -> None:
    place = postgres.blank()
    both = [pool.submit(open_database, place) for _ in range(3)]
    for one in [future.result() for future in both]:
        with one.read() as connection:
            assert migrations.version(connection) == migrations.latest()
            assert age.of(connection)[0]
            gates = connection.scalar(text("SELECT count(*) FROM meta WHERE name LIKE 'gate.%'"))
            assert gates == GATES
        one.close()


def test_whoever_writes_is_alone_but_for_turns(
    base: Database, place: str, pool: ThreadPoolExecutor
) -> None:
    with base.turn(1) as first, base.turn(2) as second:  # neither waits for the other
        assert first.scalar(text("SELECT 1")) == second.scalar(text("SELECT 1"))
        hasty = open_database(place, patience=0.05)
        with pytest.raises(StoreBusy, match="is busy"), hasty.write():
            pass
        with hasty.read() as reading:  # which blocks nobody, and nobody blocks
            assert reading.scalar(text("SELECT count(*) FROM meta"))
        hasty.close()
        command = beside(pool, base, COMMAND, lambda found: "written")
        waits(first)
    assert command.result(10) == "written"
    with base.write() as alone:
        turns = [beside(pool, base, n, lambda found: None) for n in (1, GATES + 3)]
        waits(alone)
        assert not any(turn.done() for turn in turns)
    assert [turn.result(10) for turn in turns] == [None, None]


@pytest.mark.slow
def test_who_waits_and_is_gone_keeps_nobody_from_writing(
    base: Database, place: str, pool: ThreadPoolExecutor
) -> None:
    """Of the gates it had locked some already."""
    gone = open_database(place, patience=60)
    with base.turn(GATES - 1) as holding:
        lost = beside(pool, gone, COMMAND, lambda found: None)
        waits(holding)
        gone.cut()
        with base.turn(0):  # through a gate that it had passed
            pass
    with pytest.raises(StoreUnavailable):
        lost.result(10)
    gone.close()


def test_each_worker_has_a_gate_of_its_own_while_there_are_any(base: Database) -> None:
    def enter(connection: Connection) -> int:
        return workers.enter(connection, "here", "boot", 1, "run", next(marks), NOON).id

    marks = map(str, itertools.count())
    with base.write() as connection:
        ids = [enter(connection) for _ in range(GATES)]
        assert {gate_of(one) for one in ids} == set(range(GATES))
        workers.remove(connection, ids[3:4])
        assert gate_of(enter(connection)) == gate_of(ids[3])
        assert enter(connection) > max(ids), "more than that share one"
    names = {base.age_of(one) for one in ids}
    assert len(names) == GATES


def test_one_that_takes_its_time_is_not_ended(base: Database) -> None:
    """Nor are those that follow it on its connection left without the end."""
    ask = text("SHOW idle_in_transaction_session_timeout")
    with base.write() as connection:
        take_time(connection)
        assert connection.scalar(ask) == "0"
    with base.write() as connection:
        assert connection.scalar(ask) == f"{IDLE}s"


def test_two_turns_claim_what_the_other_does_not(base: Database) -> None:
    _, ids = posts(base, 10)
    with base.turn(1) as first, base.turn(2) as second:
        mine, theirs = claim(first, 1, limit=4), claim(second, 2, limit=4)
        assert (mine, theirs) == (ids[:4], ids[4:8])
        assert claim(first, 1) == ids[8:]
        assert claim(second, 2) == []
    assert [read(base, one).claim.token for one in ids] == (  # type: ignore[union-attr]
        ["w1"] * 4 + ["w2"] * 4 + ["w1"] * 2
    )


def test_what_its_holder_is_writing_has_not_run_out(base: Database) -> None:
    """Else what it noted to be out would be written over, and go out again."""
    _, ids = posts(base, 3)
    with base.turn(1) as connection:
        claim(connection, 1)
    late = NOON + timedelta(hours=1)
    guarantee = lambda account: Guarantee(None)  # noqa: E731 - the same for all
    with base.read() as connection:
        (work,) = queue.load(connection, ids[:1])
    with base.turn(1) as holder, base.turn(2) as other:
        held = [(ids[0], "w1")]
        assert queue.renew(holder, held, late + timedelta(minutes=2)) == set(held)
        found = queue.expire(other, late, [], guarantee)
        assert [before.id for before, _ in found] == ids[1:]
    assert read(base, ids[0]).claim == Claim("w1", 1, NOON, late + timedelta(minutes=2))
    assert [read(base, one).claim for one in ids[1:]] == [None, None]
    # Of two that take over from the dead, one does.
    with base.turn(2) as first, base.turn(3) as second:
        taken = [queue.expire(one, NOON, [1], guarantee) for one in (first, second)]
    assert [len(one) for one in taken] == [1, 0]
    attempt = Attempt(1, NOON, NOON, "publish", "part 1", "published", None)
    out = moves.step_out(work.delivery, Published("id"), NOON)
    with base.turn(1) as late_comer:
        assert not queue.settle(late_comer, out, "w1", NOON, attempt)


def test_failures_noted_at_once_all_count(base: Database, pool: ThreadPoolExecutor) -> None:
    with base.write() as connection:
        me, you = rows.account(connection, "me"), rows.account(connection, "you")

    def noted(account: Account, *problems: Problem) -> Callable[[Connection], Any]:
        later = NOON + timedelta(minutes=5)
        calls = [Call(account, Retry(one), NOON, later, NOON) for one in problems]
        return lambda connection: holds.note(connection, calls, Random(7))

    def found(connection: Connection) -> dict[str, tuple[int, int]]:
        every = connection.execute(text("SELECT subject, failures, opened FROM holds"))
        return {row.subject: (row.failures, row.opened) for row in every}

    assert holding.TRIP > 2
    with base.turn(1) as first:
        noted(me, *[SILENT] * (holding.TRIP - 1))(first)
        second = beside(pool, base, 2, noted(you, SILENT))
        waits(first)
    second.result(10)
    with base.read() as connection:
        noted_now = found(connection)
    assert noted_now[holds.service(me)] == (holding.TRIP, 1)
    assert noted_now[holds.own(me.id)] == (holding.TRIP - 1, 0)
    # And what the network said of its limits is not forgotten for another failure.
    slow = Problem(ErrorKind.RATE_LIMIT, "slow down")
    with base.turn(1) as first:
        noted(me, slow)(first)
        second = beside(pool, base, 2, lambda one: holds.hold_for(
            one, me.id, NOON + timedelta(seconds=1), Why.SPACING, "apart"))  # fmt: skip
        waits(first)
    second.result(10)
    with base.read() as connection:
        held = holds.waits(connection)[me.id]
        assert connection.scalar(text("SELECT why FROM holds WHERE account_id = 1")) == "rate_limit"
        assert held.until is not None


def test_one_worker_tries_a_service_out(base: Database) -> None:
    posts(base, 3)
    with base.write() as connection:
        me = account_rows.by_ids(connection, [1])[1]
        open_since = Hold(NOON - timedelta(seconds=1), Why.BREAKER, "no answer", 5, 1)
        holds.write(connection, holds.service(me), None, open_since)
    (trial,) = {holds.service(me)}
    with base.turn(1) as first, base.turn(2) as second:
        assert [wait.trial for wait in holds.waits(second).values()] == [trial]
        assert holds.take_trial(first, trial, NOON)
        assert not holds.take_trial(second, trial, NOON)
        assert len(claim(first, 1, limit=1)) == 1
    with base.turn(2) as second:  # it looked before, and asks once the first has claimed
        assert not holds.take_trial(second, trial, NOON)
        assert holds.take_trial(second, trial, NOON + timedelta(hours=1))


def test_what_is_counted_is_counted_by_one(base: Database, pool: ThreadPoolExecutor) -> None:
    account, _ = posts(base, 4)

    def count(connection: Connection) -> int:
        claim(connection, 2, limit=2)
        account_rows.lock(connection, [account.id])
        held = text("SELECT count(*) FROM deliveries WHERE status = 'publishing'")
        return int(connection.scalar(held) or 0)

    with base.turn(1) as first:
        claim(first, 1, limit=2)
        account_rows.lock(first, [account.id])
        second = beside(pool, base, 2, count)
        waits(first)
    assert second.result(10) == 4


def test_nobody_waits_to_keep_what_a_network_says_of_its_limits(base: Database) -> None:
    account, _ = posts(base, 1)

    def say(connection: Connection, left: int) -> None:
        said_limits.note(connection, [(account.id, [Limit("posts", left)], NOON)])

    def kept() -> list[int]:
        with base.read() as connection:
            return [one.remaining for one in said_limits.known(connection, NOON)[account.id]]

    for first_left, second_left, left in ((9, None, 9), (8, 7, 8), (6, None, 6)):
        with base.turn(1) as first:
            say(first, first_left)
            if second_left is not None:
                with base.turn(2) as second:
                    say(second, second_left)
        assert kept() == [left]


def test_rules_of_a_zone_that_two_note_at_once(
    base: Database, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with base.turn(1) as first:
        zone_notes.note(first, ["Europe/Berlin"])
        second = beside(pool, base, 2, lambda one: zone_notes.note(one, ["Europe/Berlin"]))
        waits(first)
    second.result(10)
    with base.read() as connection:
        assert zone_notes.unsettled(connection) == []
        kept = text("SELECT value FROM meta WHERE name = 'zone Europe/Berlin'")
        assert len(str(connection.scalar(kept)).split()) == 1


def test_those_that_listen_hear_of_writers_not_of_turns(base: Database, place: str) -> None:
    listener = Listener(place)
    listener.connect()
    with base.turn(1) as connection:
        rows.account(connection, "me")
    with pytest.raises(ZeroDivisionError), base.write():
        raise ZeroDivisionError
    select.select([listener], [], [], 0.05)
    assert not listener.heard()
    with base.write() as connection:
        rows.account(connection, "you")
        assert not select.select([listener], [], [], 0.05)[0], "it is told before it is there"
    assert select.select([listener], [], [], 10)[0]
    assert listener.heard()
    assert not listener.heard()
    with base.write() as connection:
        connection.execute(text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        ))  # fmt: skip
    assert select.select([listener], [], [], 10)[0]
    with pytest.raises(StoreUnavailable, match="not heard any more"):
        list(iter(listener.heard, None))
    listener.close()


def test_the_servers_clock_counts(base: Database) -> None:
    behind = timedelta(hours=1)
    base.measure(lambda: datetime.now(UTC) - behind)
    assert abs(base.offset - behind) < timedelta(seconds=1)


def test_what_can_not_be_opened_is_said_without_the_password(tmp_path: Path) -> None:
    parts = urlsplit(postgres.server())
    socket = parts.query
    nobody = f"postgresql://nobody:hunter2@/postgres?{socket}"
    assert 'role "nobody" does not exist' in refusal(nobody)
    assert "Make it first (createdb)" in refusal(f"postgresql://postgres:hunter2@/none?{socket}")
    nowhere = refusal(f"postgresql://postgres:hunter2@/x?host={tmp_path}")
    assert "can't be reached" in nowhere
    refused = refusal("postgresql://postgres:hunter2@127.0.0.1:9/x")
    assert "127.0.0.1" in refused
    unread = refusal("postgresql://postgres:hunter2@127.0.0.1:port/x")
    for said in (refusal(nobody), nowhere, refused, unread):
        assert "hunter2" not in said


def test_what_breaks_off_is_said_honestly(
    base: Database, place: str, pool: ThreadPoolExecutor
) -> None:
    _, ids = posts(base, 1)

    def broken_off() -> None:
        with base.turn(1) as connection:
            claim(connection, 1)
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            with base.read() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with pytest.raises(StoreUnavailable) as lost:
        broken_off()
    assert "may be there all the same" in str(lost.value.hint)
    assert read(base, ids[0]).claim is None
    with closing(open_database(place, patience=1)) as stuck:
        with base.turn(1) as connection:
            hanging = beside(pool, stuck, 1, lambda one: None)
            waits(connection)
            stuck.cut()
            with pytest.raises(StoreUnavailable, match="can't be reached"):
                hanging.result(10)
        with stuck.read() as again:  # a new connection is made
            assert again.scalar(text("SELECT 1")) == 1


def test_what_can_not_be_kept_is_refused_without_a_word_of_it(base: Database) -> None:
    with base.write() as connection:
        me = rows.account(connection, "me")
    with pytest.raises(StoreRefused) as refused, base.write() as connection:
        rows.account(connection, "me")  # its name is taken
    assert "DETAIL" not in refused.value.message
    with base.write() as connection:
        account_rows.set_state(connection, me.id, AccountState.LOGIN, "no\0thing")
    with base.read() as connection:
        found = account_rows.by_ids(connection, [me.id])[me.id]
    assert found.state_message == "no\N{REPLACEMENT CHARACTER}thing"


def test_two_workers_share_what_is_due(
    base: Database, place: str, pool: ThreadPoolExecutor
) -> None:
    posts(base, 200)
    started = threading.Barrier(2)
    both = [pool.submit(claiming.share, place, n, started.wait, most=20) for n in (1, 2)]
    answers = [one.result(60) for one in both]
    assert [refused for _, refused in answers] == [0, 0]
    got = Counter(one for ids, _ in answers for one in ids)
    assert (len(got), set(got.values())) == (200, {1})
    assert all(ids for ids, _ in answers), "one did it all: nothing was tested"
    after = rows.every(base)
    assert {one.status for one in after} == {S.PUBLISHED}
    assert {one.attempts for one in after} == {1}
