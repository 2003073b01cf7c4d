"""First comments on a network that deduplicates posts, but not comments."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest

from postsched.domain.capabilities import CommentAs, Guarantee
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.testing import FakeClock, FakePlatform
from postsched.testing.platform import ABLE, Call, Held, LostAnswer
from tests.engine.rig import Rig, Simulation, play

S = DeliveryStatus
LOST = httpx.ReadTimeout("")
GUARANTEE = Guarantee(timedelta(minutes=10), comments=False)


@pytest.fixture
def fake(clock: FakeClock) -> FakePlatform:
    """Such a network."""
    able = replace(ABLE, guarantee=GUARANTEE, comment=CommentAs.COMMENT, thread=False)
    return FakePlatform(able, clock.now)


def live(rig: Rig, seconds: float) -> None:
    """Let an engine run for so long."""

    async def scene() -> None:
        sim = Simulation(rig)
        await sim.go(seconds)
        await sim.end()

    play(scene)


def works() -> Held:
    """An answer as if none had been written: nothing to wait for."""
    held = Held()
    held.event.set()
    return held


def texts(fake: FakePlatform) -> list[str]:
    return [post.text for post in fake.posts]


def test_a_lost_comment_is_left_to_a_person(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    """The post is out all the same, and nothing is sent twice."""
    fake.will("publish", works(), LostAnswer(LOST))
    delivery = rig.post("Post", rig.account(), clock.now(), comment="Comment")
    live(rig, 9000)
    after = rig.delivery(delivery)
    assert after.status is S.UNCONFIRMED
    assert [bool(step.published) for step in after.steps] == [True, False]
    assert texts(fake) == ["Post", "Comment"]
    assert len(fake.called("publish")) == 2
    assert not fake.called("find")


def test_a_lost_post_is_sent_again_and_then_its_comment(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    fake.will("publish", LostAnswer(LOST))
    delivery = rig.post("Post", rig.account(), clock.now(), comment="Comment")
    began = clock.now()
    live(rig, 60)
    assert rig.delivery(delivery).status is S.PUBLISHED
    assert texts(fake) == ["Post", "Comment"]
    first, again, comment = [call.prepared for call in fake.called("publish")]
    assert first
    assert again
    assert comment
    assert (first.since, comment.since) == (None, None)
    assert again.since == began
    assert again.now
    assert again.now > began


def test_a_refused_comment_leaves_the_post(rig: Rig, clock: FakeClock, fake: FakePlatform) -> None:
    refusal = PlatformError(ErrorKind.PERMANENT, "no comments", http_status=403)
    fake.will("publish", works(), refusal)
    delivery = rig.post("Post", rig.account(), clock.now(), comment="Comment")
    live(rig, 3600)
    after = rig.delivery(delivery)
    assert (after.status, after.remote_id) == (S.FAILED, "1")
    assert texts(fake) == ["Post"]


def test_sending_a_comment_is_on_record_before_it_begins(
    rig: Rig, clock: FakeClock, fake: FakePlatform
) -> None:
    """So that a worker that dies before it has sent nothing leaves no doubt."""
    on_record: list[datetime | None] = []

    def note(call: Call) -> None:
        on_record.append(rig.delivery(delivery).sent_at)
        raise PlatformError(ErrorKind.PERMANENT, "no comments")

    fake.will("publish", works(), note)
    delivery = rig.post("Post", rig.account(), clock.now(), comment="Comment")
    began = clock.now()
    live(rig, 60)
    assert rig.delivery(delivery).status is S.FAILED
    assert [at and at >= began for at in on_record] == [True]
