"""Bluesky over arroba: a server that is not the reference, and writes over what is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Media
from postsched.domain.secret import Secret
from postsched.platforms.base import Attachment, Login, PlatformError
from postsched.platforms.judging import classify
from postsched.testing.picture import png
from tests.platforms.bluesky.sending import Poster, step
from tests.servers import arroba_pds

pytestmark = pytest.mark.skipif(arroba_pds.missing() is not None, reason=str(arroba_pds.missing()))


@pytest.fixture(scope="module")
def arroba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[arroba_pds.Arroba]:
    with arroba_pds.Arroba(tmp_path_factory.mktemp("arroba")) as running:
        yield running


@pytest.fixture
def poster(arroba: arroba_pds.Arroba) -> Poster:
    poster = Poster(Login("me", arroba.url, Secret(arroba.app_password), arroba.handle))
    assert poster.sign_in()
    return poster


def test_facts(arroba: arroba_pds.Arroba, poster: Poster) -> None:
    assert poster.login.facts == {"user": arroba.handle, "did": arroba.did, "pds": arroba.url}
    assert not poster.sign_in(), "a token that does not say when it ends is used until refused"
    assert poster.sign_in(refused=True)


def test_the_same_again_is_the_same_post(poster: Poster) -> None:
    prepared = poster.prepare(step("Zwölf #Boxkämpfer 👋", "once", lang="de"))
    assert poster.find(prepared) is None
    first, second = poster.publish(prepared), poster.publish(prepared)
    found = poster.find(prepared)
    assert isinstance(found, Published)
    assert first.data == second.data == found.data
    assert first.remote_id == second.remote_id == found.remote_id


def test_what_was_prepared_anew_is_still_one_post(poster: Poster) -> None:
    message = step("Prepared anew", "anew")
    first = poster.send(message)
    second = poster.send(replace(message, now=message.occurrence + timedelta(seconds=5)))
    assert first.remote_id == second.remote_id


def test_a_thread(poster: Poster) -> None:
    one = poster.send(step("1", "thread 1"))
    two = poster.prepare(step("2", "thread 2", n=2), one, one)
    poster.publish(two)
    by_hand = Published(one.remote_id)
    again = poster.prepare(step("2", "thread 2", n=2), by_hand, by_hand)
    found = poster.publish(again)
    assert isinstance(poster.find(two), Published)
    assert found.remote_id.endswith(two.data["rkey"])


def test_deleting(poster: Poster) -> None:
    prepared = poster.prepare(step("Away", "away"))
    out = poster.publish(prepared)
    # Done, but it refuses its own answer: that is empty, and the lexicon wants an object.
    with pytest.raises(PlatformError, match="output"):
        poster.delete(out)
    assert poster.find(prepared) is None


def test_a_server_without_blobs_is_no_published_post(poster: Poster, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png())
    picture = Attachment(Media(str(path), type="image/png"), path)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is judged below
        poster.prepare(step("With a picture", "picture", attachments=(picture,)))
    assert not isinstance(classify(caught.value, sending=False), Published)


def test_a_wrong_password_is_auth(arroba: arroba_pds.Arroba) -> None:
    with pytest.raises(PlatformError) as caught:
        Poster(Login("me", arroba.url, Secret("wrong-pass"), arroba.handle)).sign_in()
    assert caught.value.problem.kind is ErrorKind.AUTH
