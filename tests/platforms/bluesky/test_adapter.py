"""Bluesky beside the contract: what a record holds, and what becomes of one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.capabilities import FOREVER
from postsched.domain.delivery import Role
from postsched.domain.outcome import ErrorKind, Failed, Published, Retry
from postsched.domain.post import Media, Visibility
from postsched.domain.secret import Secret
from postsched.platforms.base import Attachment, PlatformError
from postsched.platforms.bluesky import Bluesky
from postsched.platforms.judging import classify
from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.bluesky import DID, HANDLE, BlueskyServer, uri_of
from postsched.testing.picture import png
from tests.platforms.bluesky.sending import NINE, Poster, step


@pytest.fixture
def server() -> Iterator[BlueskyServer]:
    with BlueskyServer() as running:
        yield running


@pytest.fixture
def poster(server: BlueskyServer) -> Poster:
    poster = Poster(server.login())
    poster.sign_in()
    return poster


def picture(folder: Path, alt: str | None = None, **more: Any) -> Attachment:
    path = folder / "picture.png"
    path.write_bytes(png(12, 7))
    return Attachment(Media(str(path), alt=alt, type="image/png", **more), path)


def only(server: BlueskyServer) -> dict[str, Any]:
    (record,) = server.records.values()
    return record


def refused(poster: Poster, **more: Any) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        poster.prepare(step("Hello", **more))
    assert caught.value.problem.kind is ErrorKind.INVALID
    return caught.value


# What a record holds


def test_a_plain_post(server: BlueskyServer, poster: Poster) -> None:
    out = poster.send(step("Hello"))
    (rkey,) = server.records
    assert out.remote_id == f"at://{DID}/app.bsky.feed.post/{rkey}"
    assert out.url == f"https://bsky.app/profile/{HANDLE}/post/{rkey}"
    assert out.data["cid"].startswith("bafyrei")
    assert [limit.limit for limit in out.limits] == [1_000_000]
    assert only(server) == {
        "$type": "app.bsky.feed.post",
        "text": "Hello",
        "createdAt": "2026-12-01T09:00:00.000Z",
    }


def test_mentions_that_exist_become_facets(server: BlueskyServer, poster: Poster) -> None:
    server.handles["bob.test"] = "did:plc:bob"
    poster.send(step("👋 @bob.test, @nobody.test and @BOB.test"))
    features = [facet["features"][0]["did"] for facet in only(server)["facets"]]
    assert features == ["did:plc:bob", "did:plc:bob"]
    asked = [r for r in server.requests if r.path.endswith("resolveHandle")]
    assert len(asked) == 2


def test_a_server_that_resolves_no_handles_is_no_obstacle(
    server: BlueskyServer, poster: Poster
) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(404, b"<html>")), "GET", ".*resolveHandle")
    poster.send(step("@bob.test"))
    assert "facets" not in only(server)


def test_a_servers_words_are_plain_text(server: BlueskyServer, poster: Poster) -> None:
    body = {"error": "InvalidRequest", "message": "no\x1b[31m\n\nway " + "x" * 5000}
    server.program_publishing(Fault(FaultKind.ANSWER, Answer(400, body)))
    with pytest.raises(PlatformError) as caught:
        poster.send(step("Hello"))
    assert str(caught.value).startswith("no [31m way x")
    assert len(str(caught.value)) == 300


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_mention_is_not_dropped_for_a_sick_server(
    server: BlueskyServer, poster: Poster, status: int
) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(status, {})), "GET", ".*resolveHandle")
    with pytest.raises(PlatformError) as caught:
        poster.prepare(step("@bob.test"))
    assert isinstance(classify(caught.value, sending=False), Retry)


def test_pictures_have_alt_text_and_shape(
    server: BlueskyServer, poster: Poster, tmp_path: Path
) -> None:
    known = picture(tmp_path, "known", width=120, height=70)
    poster.send(step("Two", attachments=(picture(tmp_path, None), known)))
    first, second = only(server)["embed"]["images"]
    assert first == {"alt": "", "image": first["image"]}
    assert (second["alt"], second["aspectRatio"]) == ("known", {"width": 120, "height": 70})
    assert first["image"] in server.blobs.values()


def test_language_and_warning(server: BlueskyServer, poster: Poster) -> None:
    poster.send(step("Hello", lang="de", warning="graphic-media"))
    assert only(server)["langs"] == ["de"]
    assert only(server)["labels"]["values"] == [{"val": "graphic-media"}]


def test_what_it_can_not_do_is_refused(poster: Poster, tmp_path: Path) -> None:
    assert "public" in str(refused(poster, visibility=Visibility.FOLLOWERS))
    error = refused(poster, warning="spoilers")
    assert "nudity" in str(error.problem.hint)
    assert "at most 4" in str(refused(poster, attachments=(picture(tmp_path),) * 5))
    film = Attachment(Media("film.mp4", type="video/mp4"), tmp_path / "film.mp4")
    assert "video/mp4" in str(refused(poster, attachments=(film,)))
    by_url = Attachment(Media(url="https://example.com/a.png", type="image/png"))
    refused(poster, attachments=(by_url,))


def test_our_labels_are_never_sent(server: BlueskyServer, poster: Poster) -> None:
    poster.send(step("Hello", tags=("internal",)))
    assert "internal" not in str(server.records)


# Link cards


@pytest.fixture
def page(server: BlueskyServer) -> str:
    """The address of a page with a title and a picture."""
    html = b'<meta property="og:title" content="A page"><meta property="og:image" content="/pic">'
    server.program(Fault(FaultKind.ANSWER, Answer(200, html)), "GET", "/page", None)
    server.program(Fault(FaultKind.ANSWER, Answer(200, png())), "GET", "/pic", None)
    return f"{server.url}/page"


def test_a_link_becomes_a_card(server: BlueskyServer, poster: Poster, page: str) -> None:
    poster.send(step("Look", link=page))
    card = only(server)["embed"]["external"]
    thumb = card.pop("thumb")
    assert card == {"uri": page, "title": "A page", "description": ""}
    assert server.blobs[thumb["ref"]["$link"]] == thumb
    assert only(server)["text"] == "Look"


def test_a_page_that_is_gone_still_gives_a_card(server: BlueskyServer, poster: Poster) -> None:
    poster.send(step("Look", link=f"{server.url}/gone"))
    assert only(server)["embed"]["external"] == {
        "uri": f"{server.url}/gone",
        "title": f"{server.url}/gone",
        "description": "",
    }
    (note,) = poster.prepare(step("Look", link=f"{server.url}/gone")).data["notes"]
    assert note.endswith(f"no title and no picture: {server.url}/gone was not read: HTTP 501")


def test_a_thumb_that_is_refused_is_left_out(
    server: BlueskyServer, poster: Poster, page: str
) -> None:
    refusal = Answer(400, {"error": "BlobTooLarge", "message": "This file is too large"})
    server.program(Fault(FaultKind.ANSWER, refusal), "POST", ".*uploadBlob")
    made = poster.prepare(step("Look", link=page))
    assert made.data["notes"] == ["the link card has no picture: This file is too large"]
    poster.publish(made)
    assert "thumb" not in only(server)["embed"]["external"]


def test_a_thumb_is_not_left_out_for_a_sick_server(
    server: BlueskyServer, poster: Poster, page: str
) -> None:
    server.program(Fault(FaultKind.ANSWER, Answer(503, b"")), "POST", ".*uploadBlob")
    with pytest.raises(PlatformError) as caught:
        poster.prepare(step("Look", link=page))
    assert isinstance(classify(caught.value, sending=False), Retry)


def test_beside_pictures_the_link_is_in_the_text(
    server: BlueskyServer, poster: Poster, tmp_path: Path
) -> None:
    link = "https://example.com/a"
    poster.send(step("Look", link=link, attachments=(picture(tmp_path),)))
    assert only(server)["text"] == f"Look\n\n{link}"
    assert only(server)["facets"][0]["features"][0]["uri"] == link
    server.records.clear()
    poster.send(step(f"Look: {link}", link=link, attachments=(picture(tmp_path),)))
    assert only(server)["text"] == f"Look: {link}"


# Threads


def test_replies_name_the_first_and_the_one_before(server: BlueskyServer, poster: Poster) -> None:
    one = poster.send(step("1", "a"))
    two = poster.send(step("2", "b", n=2), one, one)
    three = poster.send(step("3", "c", n=3), one, two)
    poster.send(step("4", "d", Role.COMMENT, 1), one, three)
    replies = [record.get("reply") for record in server.records.values()]
    refs = [{"uri": part.remote_id, "cid": part.data["cid"]} for part in (one, two, three)]
    assert replies == [
        None,
        {"root": refs[0], "parent": refs[0]},
        {"root": refs[0], "parent": refs[1]},
        {"root": refs[0], "parent": refs[2]},
    ]
    assert list(server.records) == sorted(server.records)


def test_a_part_that_a_person_settled_is_looked_up(server: BlueskyServer, poster: Poster) -> None:
    one = poster.send(step("1", "a"))
    by_hand = Published(one.remote_id)
    poster.send(step("2", "b", n=2), by_hand, by_hand)
    second = list(server.records.values())[1]
    assert second["reply"]["root"] == {"uri": one.remote_id, "cid": one.data["cid"]}


@pytest.mark.parametrize(
    ("remote_id", "kind"),
    [
        (uri_of("3zzzzzzzzzzzz"), ErrorKind.PERMANENT),
        ("https://bsky.app/profile/me.test/post/3zzzzzzzzzzzz", ErrorKind.INVALID),
        (f"at://{DID}/app.bsky.feed.like/3zzzzzzzzzzzz", ErrorKind.INVALID),
        ("at://", ErrorKind.INVALID),
        ("", ErrorKind.INVALID),
    ],
)
def test_a_part_that_can_not_be_replied_to(
    server: BlueskyServer, poster: Poster, remote_id: str, kind: ErrorKind
) -> None:
    with pytest.raises(PlatformError) as caught:
        poster.send(step("2", n=2), Published(remote_id), Published(remote_id))
    assert caught.value.problem.kind is kind
    assert isinstance(classify(caught.value, sending=True), Failed)
    assert not server.records


def test_a_part_without_the_one_before_is_not_sent(server: BlueskyServer, poster: Poster) -> None:
    with pytest.raises(PlatformError):
        poster.send(step("2", n=2))
    assert not server.published_requests()


# What is there already


def test_the_frozen_record_is_sent_again_unchanged(server: BlueskyServer, poster: Poster) -> None:
    prepared = poster.prepare(step("Once"))
    first, second = poster.publish(prepared), poster.publish(prepared)
    assert (first.remote_id, first.data) == (second.remote_id, second.data)
    assert len(server.ledger) == 1


def test_a_record_with_the_same_text_is_adopted(server: BlueskyServer, poster: Poster) -> None:
    """As when a part was prepared anew between two tries: only its time differs."""
    message = step("Once")
    first = poster.send(message)
    later = replace(message, now=NINE + timedelta(minutes=3))
    again = poster.send(later)
    assert again.data == first.data
    assert only(server)["createdAt"] == "2026-12-01T09:00:00.000Z"


def test_a_key_that_another_post_has_is_not_written_over(
    server: BlueskyServer, poster: Poster
) -> None:
    prepared = poster.prepare(step("Ours"))
    server.records[prepared.data["rkey"]] = {"text": "Theirs"}
    assert poster.find(prepared) is None
    with pytest.raises(PlatformError) as caught:
        poster.publish(prepared)
    assert caught.value.problem.kind is ErrorKind.PERMANENT
    assert isinstance(classify(caught.value, sending=True), Failed)
    assert only(server) == {"text": "Theirs"}


def test_an_upload_that_was_dropped_is_made_again(
    server: BlueskyServer, poster: Poster, tmp_path: Path
) -> None:
    message = step("A picture", attachments=(picture(tmp_path, "alt"),))
    prepared = poster.prepare(message)
    server.forget_blobs()
    with pytest.raises(PlatformError) as caught:
        poster.publish(prepared)
    judged = classify(caught.value, sending=True)
    assert isinstance(judged, Retry)
    assert judged.prepare_again
    assert poster.find(prepared) is None
    again = poster.prepare(message)
    assert again == prepared, "the same key, the same record"
    assert poster.publish(again).remote_id.endswith(prepared.data["rkey"])


# Accounts


def test_a_handle_without_its_domain_is_not_in_links(poster: Poster) -> None:
    facts = {**poster.login.facts, "user": "handle.invalid"}
    poster.login = replace(poster.login, facts=facts)
    assert f"/profile/{DID}/" in str(poster.send(step("Hello")).url)


def test_a_closed_account_is_said_to_be(server: BlueskyServer, poster: Poster) -> None:
    server.active = False
    with pytest.raises(PlatformError, match="deactivated") as caught:
        poster.sign_in()
    assert caught.value.problem.kind is ErrorKind.PERMANENT


def test_too_many_writes_wait(server: BlueskyServer, poster: Poster) -> None:
    server.points = 2
    poster.send(step("1", "a"))
    with pytest.raises(PlatformError) as caught:
        poster.send(step("2", "b"))
    judged = classify(caught.value, sending=True)
    assert isinstance(judged, Retry)
    assert judged.until is not None
    assert not judged.counts


def test_a_session_alone_tells_who_it_is(server: BlueskyServer) -> None:
    login = server.login()
    assert login.secret is not None
    whole = login.secret.reveal()
    assert isinstance(whole, dict)
    with pytest.raises(PlatformError) as caught:
        Poster(login).prepare(step("Whose?"))
    assert caught.value.problem.kind is ErrorKind.AUTH, "a renewal will tell"
    Poster(replace(login, secret=Secret({**whole, "did": DID}))).send(step("Mine"))
    assert len(server.records) == 1


@pytest.mark.parametrize("remote_id", ["", "5", "at://x", f"at://{DID}/app.bsky.feed.like/3l"])
def test_only_posts_are_deleted(server: BlueskyServer, poster: Poster, remote_id: str) -> None:
    with pytest.raises(PlatformError) as caught:
        poster.delete(Published(remote_id))
    assert caught.value.problem.kind is ErrorKind.INVALID
    assert not [r for r in server.requests if r.path.endswith("deleteRecord")]


def test_capabilities() -> None:
    unknown, known = Bluesky().capabilities({}), Bluesky().capabilities({"user": HANDLE})
    assert (known.text.limit, known.text.byte_limit, known.text.url_length) == (300, 3000, None)
    assert known.guarantee.deduplicates == FOREVER
    assert known.guarantee.words == "exactly once"
    assert known.media.types["image/png"] == 2_000_000
    assert unknown.media.types["image/png"] == 1_000_000
    assert known.warnings == {"sexual", "nudity", "porn", "graphic-media"}
    assert not [kind for kind in known.media.types if kind.startswith("video")]
