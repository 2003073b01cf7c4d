"""What becomes of a post on X whose answer is lost: the engine's way with it, by a clock that runs
fast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from postsched.domain.account import AccountState
from postsched.domain.delivery import Delivery, DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.platforms.x import X
from postsched.store import accounts as account_rows
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.x import USER, XServer
from postsched.testing.x_oauth import TOKEN
from postsched.testing.x_state import USERNAME
from tests.platforms.doubting import Doubt

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""

S = DeliveryStatus
FACTS = {"user": f"@{USERNAME}", "id": USER, "username": USERNAME, "premium": False}


class Stage(Doubt[XServer]):
    """An engine with an account on a loopback X."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, X(), lambda now: XServer(clock=now), TOKEN, FACTS)

    def sent(self) -> list[bytes]:
        """The bodies of the requests that would make a post visible."""
        return [request.body for request in self.server.published_requests()]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_what_is_out_is_found_after_a_quarter_of_a_minute(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert [delivery.remote_id] == [post.remote_id for post in stage.server.posts()]
    assert len(stage.sent()) == 1
    lost, found = stage.attempts(delivery)
    assert found.started_at - lost.started_at >= timedelta(seconds=15)


def test_what_is_not_out_is_sent_again_the_same(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET))
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert len(stage.server.posts()) == 1
    first, second = stage.sent()
    assert first == second
    asked = [attempt for attempt in stage.attempts(delivery) if attempt.action == "ask"]
    assert len(asked) == 2
    assert asked[1].started_at - asked[0].started_at >= timedelta(seconds=60)


def test_each_part_of_a_thread_is_settled_by_itself(stage: Stage) -> None:
    stage.server.lose_answers(1.0, 7)
    delivery = stage.play("One", then=["Two"], comment="More")
    assert delivery.status is S.PUBLISHED
    one, two, comment = stage.server.posts()
    assert [post.parent for post in (one, two, comment)] == [None, one.remote_id, one.remote_id]
    assert len(stage.sent()) == 3


def test_what_shows_late_is_found_when_it_is_refused_as_equal(stage: Stage) -> None:
    stage.server.delay = 100
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert [delivery.remote_id] == [post.remote_id for post in stage.server.posts()]
    assert len(stage.sent()) == 2


@pytest.mark.slow
def test_what_never_shows_is_for_a_person(stage: Stage) -> None:
    stage.server.delay = 10**6
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert delivery.status is S.UNCONFIRMED
    assert delivery.problem is not None
    assert delivery.problem.kind is ErrorKind.UNCONFIRMED
    assert len(stage.sent()) == 2


@pytest.mark.parametrize("status", [402, 403])
def test_what_may_not_be_read_is_for_a_person_and_never_sent_again(
    stage: Stage, status: int
) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET))
    answer = Answer(status, {"title": "CreditsDepleted"})
    stage.server.program(Fault(FaultKind.ANSWER, answer), "GET", count=None)
    delivery = stage.play("Hello")
    assert delivery.status is S.UNCONFIRMED
    assert len(stage.sent()) == 1


def test_a_text_that_was_posted_before_is_a_duplicate(stage: Stage) -> None:
    now = stage.server.clock()
    stage.server.state.put("Good morning", at=now - 7200 * 10**9)
    delivery = stage.play("Good morning")
    assert delivery.status is S.FAILED
    assert delivery.problem is not None
    assert delivery.problem.kind is ErrorKind.DUPLICATE
    assert len(stage.sent()) == 1


def test_without_credits_the_account_waits(stage: Stage) -> None:
    stage.server.credits = "no"

    def held(delivery: Delivery) -> bool:
        with stage.rig.database.read() as connection:
            account = account_rows.by_ids(connection, [stage.account.id])[stage.account.id]
        return account.state is AccountState.LOGIN and "credits" in (account.state_message or "")

    delivery = stage.play("Hello", ends=held)
    assert delivery.status is S.SCHEDULED
    assert delivery.problem is not None
    assert delivery.problem.kind is ErrorKind.PERMANENT
    assert len(stage.sent()) == 1
    assert not stage.server.posts()
