"""Bluesky over the reference PDS: the server that the networks really run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Failed, LetGo, Published, Retry
from postsched.domain.post import Media
from postsched.domain.secret import Secret
from postsched.platforms.base import Attachment, Login, PlatformError, Prepared
from postsched.platforms.judging import classify
from postsched.testing.picture import png
from tests.platforms.bluesky.sending import Poster, step
from tests.servers import pds as reference

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(reference.missing() is not None, reason=str(reference.missing())),
]


@pytest.fixture(scope="module")
def pds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[reference.Pds]:
    with reference.Pds(tmp_path_factory.mktemp("pds")) as running:
        yield running


@pytest.fixture
def poster(pds: reference.Pds) -> Iterator[Poster]:
    """An account without posts, signed in by its app password."""
    poster = Poster(Login("me", pds.url, Secret(pds.app_password), pds.handle))
    assert poster.sign_in()
    yield poster
    for post in pds.posts():
        poster.delete(Published(post["uri"]))


def only(pds: reference.Pds) -> dict[str, Any]:
    (post,) = pds.posts()
    return post


def refusal(poster: Poster, prepared: Prepared) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        poster.publish(prepared)
    return caught.value


def with_token(poster: Poster, token: str) -> None:
    assert poster.login.secret is not None
    whole = poster.login.secret.reveal()
    assert isinstance(whole, dict)
    poster.login = replace(poster.login, secret=Secret({**whole, "access_token": token}))


# Posts


def test_facts(pds: reference.Pds, poster: Poster) -> None:
    assert poster.login.facts == {"user": "alice.test", "did": pds.did, "pds": pds.url}


def test_a_post_with_everything(pds: reference.Pds, poster: Poster, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png(12, 7))
    pictures = [
        Attachment(Media(str(path), alt=alt, type="image/png", width=12, height=7), path)
        for alt in ("Ein Quadrat", None)
    ]
    text = "👩‍👩‍👧 Zwölf https://example.com/ä (@alice.test) #日本語 @nobody.test"
    message = step(text, attachments=tuple(pictures), lang="de", warning="nudity")
    prepared = poster.prepare(message)
    assert not pds.posts(), "nothing shows before it is published"
    out = poster.publish(prepared)
    post = only(pds)
    assert (post["uri"], post["cid"]) == (out.remote_id, out.data["cid"])
    assert post["value"] == prepared.data["record"]
    images = post["value"]["embed"]["images"]
    assert [image["alt"] for image in images] == ["Ein Quadrat", ""]
    assert images[0]["aspectRatio"] == {"width": 12, "height": 7}
    raw = text.encode()
    marked = [raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode()
              for f in post["value"]["facets"]]  # fmt: skip
    assert marked == ["https://example.com/ä", "@alice.test", "#日本語"]
    assert post["value"]["facets"][1]["features"][0]["did"] == pds.did


def test_the_same_again_is_no_change(pds: reference.Pds, poster: Poster) -> None:
    prepared = poster.prepare(step("Once"))
    first, second = poster.publish(prepared), poster.publish(prepared)
    assert (first.remote_id, first.url, first.data) == (
        second.remote_id, second.url, second.data
    )  # fmt: skip
    assert only(pds)["value"]["text"] == "Once"


def test_eight_at_once_are_one(pds: reference.Pds, poster: Poster) -> None:
    prepared = poster.prepare(step("Raced"))
    with ThreadPoolExecutor(8) as pool:
        out = list(pool.map(lambda _: poster.publish(prepared), range(8)))
    assert {(one.remote_id, one.data["cid"]) for one in out} == {
        (only(pds)["uri"], only(pds)["cid"])
    }


def test_eight_that_were_prepared_apart_are_one(pds: reference.Pds, poster: Poster) -> None:
    """Two processes that both lost what was prepared: InvalidSwap is answered by reading."""
    message = step("Raced")
    apart = [
        poster.prepare(replace(message, now=message.occurrence + timedelta(seconds=n)))
        for n in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        out = list(pool.map(poster.publish, apart))
    assert {(one.remote_id, one.data["cid"]) for one in out} == {
        (only(pds)["uri"], only(pds)["cid"])
    }


def test_a_key_that_another_post_has_is_not_written_over(
    pds: reference.Pds, poster: Poster
) -> None:
    poster.send(step("Theirs"))
    prepared = poster.prepare(step("Ours"))
    assert poster.find(prepared) is None
    error = refusal(poster, prepared)
    assert error.problem.kind is ErrorKind.PERMANENT
    assert only(pds)["value"]["text"] == "Theirs"


def test_find(poster: Poster) -> None:
    prepared = poster.prepare(step("There?"))
    assert poster.find(prepared) is None
    out = poster.publish(prepared)
    found = poster.find(prepared)
    assert isinstance(found, Published)
    assert (found.remote_id, found.url, found.data) == (out.remote_id, out.url, out.data)


def test_a_thread_with_a_comment(pds: reference.Pds, poster: Poster) -> None:
    one = poster.send(step("1", "a"))
    two = poster.send(step("2", "b", n=2), one, one)
    three = poster.send(step("3", "c", n=3), one, two)
    poster.send(step("4", "d", Role.COMMENT, 1), one, three)
    posts = pds.posts()[::-1]
    assert [post["value"]["text"] for post in posts] == ["1", "2", "3", "4"]
    refs = [{"uri": post["uri"], "cid": post["cid"]} for post in posts]
    assert [post["value"].get("reply") for post in posts] == [
        None,
        {"root": refs[0], "parent": refs[0]},
        {"root": refs[0], "parent": refs[1]},
        {"root": refs[0], "parent": refs[2]},
    ]


def test_a_part_that_a_person_settled(pds: reference.Pds, poster: Poster) -> None:
    one = poster.send(step("1", "a"))
    by_hand = Published(one.remote_id)
    poster.send(step("2", "b", n=2), by_hand, by_hand)
    assert pds.posts()[0]["value"]["reply"]["root"]["cid"] == one.data["cid"]


def test_deleting_twice(pds: reference.Pds, poster: Poster) -> None:
    out = poster.send(step("Away"))
    poster.delete(out)
    poster.delete(out)
    assert pds.posts() == []


def test_a_picture_that_was_dropped(pds: reference.Pds, poster: Poster, tmp_path: Path) -> None:
    """The server drops a picture with the last post that shows it, also one uploaded anew."""
    path = tmp_path / "picture.png"
    path.write_bytes(png(9, 9))
    picture = Attachment(Media(str(path), alt="again", type="image/png"), path)
    first = poster.send(step("Monday", "a", attachments=(picture,)))
    message = step("Tuesday", "b", attachments=(picture,))
    prepared = poster.prepare(message)
    poster.delete(first)
    error = refusal(poster, prepared)
    judged = classify(error, sending=True)
    assert isinstance(judged, Retry)
    assert judged.prepare_again
    again = poster.prepare(message)
    assert again == prepared
    poster.publish(again)
    assert only(pds)["value"]["text"] == "Tuesday"


# Limits


@pytest.mark.parametrize("text", ["e\u0301" * 300, "👩‍👩‍👧‍👦" * 120, "語" * 300, ""])
def test_texts_up_to_the_limit(pds: reference.Pds, poster: Poster, text: str) -> None:
    poster.send(step(text))
    assert only(pds)["value"]["text"] == text


@pytest.mark.parametrize("text", ["a" * 301, "👩‍👩‍👧‍👦" * 121, "語" * 301])
def test_texts_above_the_limit(pds: reference.Pds, poster: Poster, text: str) -> None:
    error = refusal(poster, poster.prepare(step(text)))
    assert error.problem.kind is ErrorKind.INVALID
    assert error.problem.http_status == 400
    assert isinstance(classify(error, sending=True), Failed)
    assert pds.posts() == []


@pytest.mark.parametrize(("size", "taken"), [(2_000_000, True), (2_000_001, False)])
def test_the_largest_picture(
    pds: reference.Pds, poster: Poster, tmp_path: Path, size: int, taken: bool
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png() + b"\0" * (size - len(png())))
    picture = Attachment(Media(str(path), type="image/png", width=8, height=8), path)
    prepared = poster.prepare(step("Large", attachments=(picture,)))
    if taken:
        poster.publish(prepared)
    else:
        assert refusal(poster, prepared).problem.kind is ErrorKind.INVALID
    assert len(pds.posts()) == int(taken)


def test_an_upload_that_is_far_too_large(poster: Poster, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png() + b"\0" * 6_000_000)
    picture = Attachment(Media(str(path), type="image/png"), path)
    with pytest.raises(PlatformError) as caught:
        poster.prepare(step("Large", attachments=(picture,)))
    assert caught.value.problem.kind is ErrorKind.INVALID
    assert caught.value.problem.http_status == 413


# Sessions


def test_an_expired_token_is_renewed(pds: reference.Pds, poster: Poster) -> None:
    prepared = poster.prepare(step("Later"))
    with_token(poster, pds.token(-60))
    error = refusal(poster, prepared)
    assert isinstance(classify(error, sending=True), LetGo)
    assert error.problem.kind is ErrorKind.AUTH
    assert poster.sign_in(refused=True)
    poster.publish(prepared)
    assert only(pds)["value"]["text"] == "Later"


def test_our_token_is_taken_for_as_long_as_it_lives(pds: reference.Pds, poster: Poster) -> None:
    with_token(poster, pds.token(60))
    poster.send(step("Just in time"))
    assert only(pds)["value"]["text"] == "Just in time"


def test_a_garbage_token_is_auth(poster: Poster) -> None:
    prepared = poster.prepare(step("Later"))
    for garbage in ("garbage", "a.b.c"):
        with_token(poster, garbage)
        assert refusal(poster, prepared).problem.kind is ErrorKind.AUTH
    assert poster.sign_in(refused=True)


def test_a_revoked_session_is_made_anew_from_the_password(
    pds: reference.Pds, poster: Poster
) -> None:
    assert poster.login.secret is not None
    pds.call("com.atproto.server.deleteSession", poster.login.secret.get("refresh_token"))
    assert poster.sign_in(refused=True)
    poster.send(step("Still here"))


def test_the_session_ends_when_it_says(poster: Poster) -> None:
    assert poster.login.secret is not None
    end = datetime.fromisoformat(poster.login.secret.get("expires_at"))
    assert timedelta(minutes=119) < end - datetime.now(UTC) < timedelta(minutes=121)


def test_a_wrong_password_is_auth(pds: reference.Pds) -> None:
    for user, password in ((pds.handle, "wrong-pass"), ("nobody.test", pds.app_password)):
        with pytest.raises(PlatformError) as caught:
            Poster(Login("me", pds.url, Secret(password), user)).sign_in()
        assert caught.value.problem.kind is ErrorKind.AUTH
        assert password not in str(caught.value)


def test_a_removed_app_password_needs_a_person(pds: reference.Pds) -> None:
    session = pds.call(
        "com.atproto.server.createSession", identifier=pds.handle, password=pds.password
    )
    made = pds.call("com.atproto.server.createAppPassword", session["accessJwt"], name="short")
    poster = Poster(Login("me", pds.url, Secret(made["password"]), pds.handle))
    poster.sign_in()
    pds.call("com.atproto.server.revokeAppPassword", session["accessJwt"], name="short")
    with pytest.raises(PlatformError) as caught:
        poster.sign_in(refused=True)
    assert caught.value.problem.kind is ErrorKind.AUTH


def test_a_killed_server_comes_back(pds: reference.Pds, poster: Poster) -> None:
    prepared = poster.prepare(step("Through it all"))
    out = poster.publish(prepared)
    pds.kill()
    pds.start()
    assert poster.publish(prepared).data == out.data
    assert len(pds.posts()) == 1


def test_too_many_logins_wait(tmp_path: Path) -> None:
    with reference.Pds(tmp_path, rate_limits=True) as limited:
        login = Login("me", limited.url, Secret(limited.app_password), limited.handle)
        for _ in range(30):
            Poster(login).sign_in()
        with pytest.raises(PlatformError) as caught:
            Poster(login).sign_in()
    assert caught.value.problem.kind is ErrorKind.RATE_LIMIT
    judged = classify(caught.value, sending=False)
    assert isinstance(judged, Retry)
    assert judged.after is not None
    assert 0 < judged.after <= 300
