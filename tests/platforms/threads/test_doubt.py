"""What becomes of a post on Threads whose answer is lost: the engine's way with it, by a clock that
runs fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind, Published
from postsched.platforms.base import Unknown
from postsched.platforms.threads import Threads
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.graph import TOKEN
from postsched.testing.sender import Sender, key_of, message
from postsched.testing.threads import ThreadsServer
from tests.platforms.doubting import Doubt
from tests.platforms.threads.playing import out, play

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""

S = DeliveryStatus
Found = Published | Unknown | None


class Stage(Doubt[ThreadsServer]):
    """An engine with an account on a loopback Threads."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Threads(), lambda now: ThreadsServer(clock=now), TOKEN)

    def sent(self) -> list[str]:
        """The containers that were to be published, in order."""
        return [r.form["creation_id"][1].decode() for r in self.server.published_requests()]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_what_is_out_is_adopted_by_its_container(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello #world")
    assert delivery.status is S.PUBLISHED
    assert [delivery.remote_id] == [post.remote_id for post in stage.server.posts()]
    assert delivery.url
    assert len(stage.sent()) == 1


def test_what_is_not_out_is_published_again_by_the_same_container(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET))
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert len(stage.server.posts()) == 1
    first, second = stage.sent()
    assert first == second
    asked = [attempt for attempt in stage.attempts(delivery) if attempt.action == "ask"]
    assert len(asked) == 2
    assert asked[1].started_at - asked[0].started_at >= timedelta(seconds=30)


def test_a_state_that_lags_costs_nothing(stage: Stage) -> None:
    stage.server.lag = 20
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert len(stage.server.posts()) == len(stage.sent()) == 1


def test_even_one_that_lags_too_long_is_not_out_twice(stage: Stage) -> None:
    stage.server.lag = 45
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert len(stage.server.posts()) == 1
    assert len(set(stage.sent())) == 1


def test_each_part_is_settled_by_itself(stage: Stage) -> None:
    stage.server.lose_answers(1.0, 7)
    delivery = stage.play("One", then=["Two"], comment="More")
    assert delivery.status is S.PUBLISHED
    one, two, comment = stage.server.posts()
    assert [post.parent for post in (one, two, comment)] == [None, one.remote_id, one.remote_id]
    assert len(stage.sent()) == 3


def test_what_does_not_show_is_out_without_an_address(stage: Stage) -> None:
    stage.server.delay = 10**6
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert (delivery.status, delivery.remote_id, delivery.url) == (S.PUBLISHED, None, None)
    assert len(stage.sent()) == 1
    assert "is published" in (stage.attempts(delivery)[-1].evidence or "")


def test_an_equal_post_of_somebody_elses_making_is_not_taken_for_it(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET))
    stage.server.put_text("Hello")
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert delivery.remote_id == stage.server.posts()[-1].remote_id
    assert len(stage.server.posts()) == 2


@pytest.mark.slow
def test_a_container_that_expires_in_doubt_is_made_anew(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET))
    expired: list[bool] = []

    def expire() -> None:
        if stage.sent() and not expired:
            expired.append(True)
            stage.server.expire()

    delivery = stage.play("Hello", expire)
    assert delivery.status is S.PUBLISHED
    assert len(stage.server.posts()) == 1
    assert len(set(stage.sent())) == 2


def test_spam_that_is_not_out_is_refused_for_good(stage: Stage) -> None:
    error = {"code": 4, "error_subcode": 2207051, "message": "We restrict certain activity"}
    stage.server.program_publishing(Fault(FaultKind.ANSWER, Answer(400, {"error": error})), None)
    delivery = stage.play("Hello")
    assert delivery.status is S.FAILED
    assert delivery.problem is not None
    assert delivery.problem.kind is ErrorKind.PERMANENT
    assert "restrict" in delivery.problem.message
    assert len(stage.sent()) == 1


def test_spam_that_is_out_is_out(stage: Stage) -> None:
    error = {"code": 4, "error_subcode": 2207051, "message": "We restrict certain activity"}
    fault = Fault(FaultKind.ANSWER_AFTER, Answer(400, {"error": error}))
    stage.server.program_publishing(fault)
    stage.server.lag = 10
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert [delivery.remote_id] == [post.remote_id for post in stage.server.posts()]
    assert len(stage.sent()) == 1


def test_a_reply_is_on_record_before_it_is_sent(stage: Stage) -> None:
    """The part after the first is made once that is out, and its request is on record."""
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER), 2)
    delivery = stage.play("One", then=["Two"])
    assert delivery.status is S.PUBLISHED
    assert [step.prepared and step.prepared["reply_to"] for step in delivery.steps] == [
        None, delivery.remote_id
    ]  # fmt: skip
    assert len(stage.sent()) == 2


class TestRestored:
    """The database is a copy from before: what was sent had other containers."""

    def found(self, server: ThreadsServer, *sent: str, reply: bool = False, **told: Any) -> Found:
        """What is found of "Hello" once those were sent, and it has a new container."""

        async def scene(sender: Sender) -> Found:
            root = out(await sender.send(message("Root", key="root"))) if reply else None
            n = 2 if reply else 1
            for place, text in enumerate(sent):
                one = message(text, key=f"sent {place}", n=n)
                out(await sender.send(one, root, root))
            prepared = await sender.prepare(message("Hello", n=n), root, root)
            prepared = replace(prepared, anew=True, now=datetime.now(UTC), **told)
            return await sender.find(prepared, key_of("first"))

        return play(server.login(), scene)

    @pytest.mark.parametrize("reply", [False, True])
    def test_among_the_posts(self, reply: bool) -> None:
        with ThreadsServer() as server:
            assert self.found(server, "other", reply=reply) is None
            answer = self.found(server, "Hello", "Hello!", reply=reply)
            assert isinstance(answer, Published), answer
            (post,) = (post for post in server.posts() if post.text == "Hello")
            assert answer.remote_id == post.remote_id
            assert isinstance(self.found(server, "Hello", reply=reply), Unknown)
            others = frozenset({post.remote_id})
            answer = self.found(server, reply=reply, others=others)
            assert isinstance(answer, Published)
            assert answer.remote_id != post.remote_id
