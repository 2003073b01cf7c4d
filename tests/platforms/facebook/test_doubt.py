"""What becomes of a post on Facebook whose answer is lost: the engine's way with it, by a clock
that runs fast."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.delivery import DeliveryStatus
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Media
from postsched.platforms.base import Attachment, Unknown
from postsched.platforms.facebook import Facebook
from postsched.testing import Fault, FaultKind
from postsched.testing.facebook import NAME, PAGE, FacebookServer
from postsched.testing.facebook_posts import Photo
from postsched.testing.graph import SECOND, TOKEN
from postsched.testing.sender import Sender, key_of, message
from tests.engine.rig import Simulation
from tests.engine.rig import play as play_scene
from tests.platforms.doubting import TICK, Doubt
from tests.platforms.facebook.playing import at, file, out, play

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""

S = DeliveryStatus
Found = Published | Unknown | None


class Stage(Doubt[FacebookServer]):
    """An engine with a Page on a loopback Facebook."""

    def __init__(self, folder: Path) -> None:
        facts = {"id": PAGE, "user": NAME}
        super().__init__(folder, Facebook(), lambda now: FacebookServer(clock=now), TOKEN, facts)

    def sent(self) -> int:
        """How often it was to be posted."""
        return len(self.server.published_requests())


def photos(*names: str) -> list[Media]:
    """Photos that the network fetches."""
    return [Media(None, f"https://media.example/{name}.jpg", None) for name in names]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.mark.parametrize("since", ["yes", "ignored", "refused"])
def test_what_is_out_is_adopted(stage: Stage, since: str) -> None:
    """Whatever the list makes of `since`; an equal one of yesterday is another."""
    stage.server.since = since
    stage.server.put("Hello", stage.now() - 86_400 * SECOND)
    stage.server.put("Between", stage.now() - 86_000 * SECOND)
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert (delivery.status, stage.sent()) == (S.PUBLISHED, 1)
    assert delivery.remote_id == list(stage.server.out)[-1]
    assert delivery.url


@pytest.mark.slow
def test_what_is_not_out_is_sent_again_with_the_same_photos(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET))
    delivery = stage.play("Hello", media=photos("a", "b"))
    first, second = stage.server.published_requests()
    assert delivery.status is S.PUBLISHED
    assert first.body == second.body
    assert second.at - first.at >= 45 * SECOND
    assert (len(stage.server.posts()), len(stage.server.photos)) == (1, 2)


def test_photos_make_a_post_known_whatever_it_says(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    edited: list[bool] = []

    def edit() -> None:
        for number, post in stage.server.out.items():
            if not edited:
                stage.server.out[number] = replace(post, form={"message": "Hello, edited"})
                edited.append(True)

    delivery = stage.play("Hello", media=photos("a", "b"), meanwhile=edit)
    assert (delivery.status, stage.sent()) == (S.PUBLISHED, 1)
    assert [delivery.remote_id] == list(stage.server.out)


def test_the_same_words_with_another_photo_are_another_post(stage: Stage) -> None:
    stage.server.program_publishing(Fault(FaultKind.RESET))
    other = stage.server.put("Hello", None, Photo("7"))
    delivery = stage.play("Hello", media=photos("a"))
    assert delivery.status is S.PUBLISHED
    assert delivery.remote_id != other.id
    assert len(stage.server.posts()) == 2


def test_what_shows_late_is_not_out_twice(stage: Stage) -> None:
    """Longer than it is looked for: the same sent again is refused (506), and found."""
    stage.server.delay = 55
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert delivery.status is S.PUBLISHED
    assert [delivery.remote_id] == [post.remote_id for post in stage.server.posts()]
    assert stage.sent() == 2


@pytest.mark.slow
def test_what_never_shows_is_left_to_a_person(stage: Stage) -> None:
    stage.server.delay = 10**6
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    delivery = stage.play("Hello")
    assert delivery.status is S.UNCONFIRMED
    assert len(stage.server.posts()) == 1


def test_an_equal_post_that_is_no_ours_is_a_duplicate(stage: Stage) -> None:
    stage.server.put("Hello", stage.now() - 3600 * SECOND)
    delivery = stage.play("Hello")
    assert delivery.status is S.FAILED
    assert delivery.problem is not None
    assert delivery.problem.kind is ErrorKind.DUPLICATE
    assert len(stage.server.posts()) == 1


@pytest.mark.slow
def test_two_that_could_be_it_are_left_to_a_person(stage: Stage) -> None:
    """A text alone is known by its time only."""
    stage.server.program_publishing(Fault(FaultKind.RESET_AFTER))
    put: list[bool] = []

    def elsewhere() -> None:
        if stage.server.out and not put:
            put.append(True)
            stage.server.put("Between")
            stage.server.put("Hello")

    # A person has a day to tell; the clock need not run that long.
    due = stage.clock.now() + timedelta(seconds=2)
    number = stage.rig.post("Hello", stage.account, due)

    async def scene() -> None:
        sim = Simulation(stage.rig)
        for _ in range(120):
            sim.pump()
            await asyncio.sleep(TICK)
            stage.clock.advance(1)
            elsewhere()
        await sim.end()

    play_scene(scene)
    delivery = stage.rig.delivery(number)
    assert (delivery.status, stage.sent()) == (S.CONFIRMING, 1)
    assert delivery.problem is not None
    assert "several posts" in delivery.problem.message


class TestRestored:
    """The database is a copy from before: what was sent was made ready under other names."""

    def found(
        self, server: FacebookServer, *files: Attachment, sent: int, text: str = "Hello",
        **told: Any,
    ) -> Found:  # fmt: skip
        """What is found once it was sent so often, and made ready anew."""

        async def scene(sender: Sender) -> Found:
            for n in range(sent):
                out(await sender.send(message(text, key=f"sent {n}", attachments=files)))
                server.put("Between")
            prepared = await sender.prepare(message(text, attachments=files))
            prepared = replace(prepared, anew=True, now=datetime.now(UTC), **told)
            return await sender.find(prepared, key_of("first"))

        return play(server.login(), scene)

    @pytest.mark.parametrize("photos", [(), ("a.jpg", "b.jpg")])
    def test_found_by_its_words(self, photos: tuple[str, ...]) -> None:
        files = [at(name) for name in photos]
        with FacebookServer() as server:
            assert self.found(server, *files, sent=0) is None
            answer = self.found(server, *files, sent=1)
            assert isinstance(answer, Published)
            first = answer.remote_id
            assert first == next(iter(server.out))
            assert isinstance(self.found(server, *files, sent=1), Unknown)
            answer = self.found(server, *files, sent=0, others=frozenset({first}))
            assert isinstance(answer, Published)
            assert answer.remote_id != first

    def test_without_words_nothing_is_taken_for_it(self) -> None:
        with FacebookServer() as server:
            assert self.found(server, at("a.jpg"), sent=0, text="") is None
            server.put("", None, Photo("7"))
            assert isinstance(self.found(server, at("a.jpg"), sent=0, text=""), Unknown)

    def test_a_film_is_another_by_now(self, tmp_path: Path) -> None:
        """That the new one is not out says nothing of the one that may be."""
        one = file(tmp_path, "film.mp4", content=b"film" * 99)
        with FacebookServer() as server:
            assert isinstance(self.found(server, one, sent=1), Unknown)
            shown = server.put("Hello")  # as the Page shows it once it is processed
            answer = self.found(server, one, sent=0)
            assert isinstance(answer, Published)
            assert answer.remote_id == shown.id
