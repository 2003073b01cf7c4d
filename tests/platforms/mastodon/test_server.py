"""What is read of a server, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from postsched.domain.capabilities import Unit
from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import PlatformError
from postsched.platforms.mastodon import Mastodon
from postsched.platforms.mastodon.server import software
from postsched.testing import Answer, Fault, FaultKind, MastodonServer
from tests.platforms.mastodon.playing import play


def facts_of(server: MastodonServer) -> Mapping[str, Any]:
    return play(server.login(), lambda s: s.inspect(), inspect=False)


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("4.5.1", "mastodon"),
        ("3.5.3", "mastodon"),
        ("4.6.0-nightly.2026-05-01", "mastodon"),
        ("4.2.10+hometown-1.1.1", "mastodon"),
        ("4.4.0+glitch", "mastodon"),
        ("0.20.1 git-f6a4c6d", "gotosocial"),
        ("1.0.0+git-f6a4c6d", "gotosocial"),
        ("2.7.2 (compatible; Pleroma 2.9.1)", "pleroma"),
        ("2.7.2 (compatible; Akkoma 3.13.2-0-g)", "pleroma"),
        ("3.5.3 (compatible; Pixelfed 0.12.4)", "pixelfed"),
        ("3.0.0 (compatible; Sharkey 2025.4.2)", "other"),
        ("4.0.0 (not true; snac/2.61)", "other"),
        ("takahe/0.11.0", "other"),
        ("", "other"),
    ],
)
def test_the_kind_is_told_from_the_version(version: str, kind: str) -> None:
    assert software(version) == kind


def test_gotosocial_is_told_from_its_source() -> None:
    assert software("1.0.0", "https://codeberg.org/superseriousbusiness/gotosocial") == "gotosocial"


def test_facts_are_read_from_the_server() -> None:
    with MastodonServer() as server:
        facts = facts_of(server)
    assert facts["user"] == "@me@example.social"
    assert (facts["id"], facts["software"], facts["version"]) == ("7", "mastodon", "4.5.1")
    able = Mastodon().capabilities(facts)
    assert (able.text.limit, able.text.unit, able.text.url_length) == (500, Unit.GRAPHEMES, 23)
    assert able.text.mention_domain_free
    assert able.text.warning_counts
    assert (able.media.count, able.media.alt_limit) == (4, 1500)
    assert able.media.types["image/png"] == 16777216
    assert able.media.types["video/mp4"] == 103809024
    assert able.guarantee.deduplicates == timedelta(minutes=50)
    assert able.guarantee.can_look_up
    assert able.visibilities == {"public", "unlisted", "followers", "direct"}


def test_older_servers_tell_less() -> None:
    with MastodonServer(v1_only=True) as server:
        facts = facts_of(server)
    assert facts["user"] == "@me@example.social"
    assert Mastodon().capabilities(facts).text.limit == 500


def test_gotosocial_counts_code_points_and_remembers_no_key() -> None:
    with MastodonServer(flavour="gotosocial") as server:
        able = Mastodon().capabilities(facts_of(server))
    assert (able.text.limit, able.text.unit, able.text.url_length) == (5000, Unit.CODE_POINTS, None)
    assert not able.text.mention_domain_free
    assert able.media.count == 6
    assert able.guarantee.deduplicates is None
    assert able.guarantee.can_look_up


def test_pleroma_states_its_limits_at_the_top() -> None:
    with MastodonServer(flavour="pleroma") as server:
        able = Mastodon().capabilities(facts_of(server))
    assert (able.text.limit, able.text.url_length, able.media.alt_limit) == (5000, None, 5000)
    assert able.media.types["image/png"] == 16000000
    assert able.guarantee.deduplicates is None


def test_of_an_unknown_server_the_least_is_expected() -> None:
    able = Mastodon().capabilities({})
    assert (able.text.limit, able.text.unit, able.text.url_length) == (500, Unit.CODE_POINTS, None)
    assert able.guarantee.deduplicates is None
    assert able.guarantee.can_look_up


@pytest.mark.parametrize(
    "instance",
    [
        {"version": "4.5.1"},
        {"version": "4.5.1", "configuration": None},
        {"version": "4.5.1", "configuration": {"statuses": [], "media_attachments": 7}},
        {"version": "4.5.1", "configuration": {"statuses": {"max_characters": "many"}}},
        {"version": "4.5.1", "configuration": {"statuses": {"max_characters": -1}}},
        {"version": "4.5.1", "configuration": {"media_attachments": {"supported_mime_types": 1}}},
        {"version": 4, "uri": 7, "domain": None},
    ],
)
def test_limits_that_make_no_sense_are_not_taken(instance: object) -> None:
    with MastodonServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(200, instance)), "GET", "/api/v2/instance")
        able = Mastodon().capabilities(facts_of(server))
    assert able.text.limit == 500
    assert able.media.types["image/png"] == 16777216


@pytest.mark.parametrize("body", [b"<html>Welcome", {"hello": 1}, [], "x"])
def test_what_is_no_mastodon_is_invalid(body: object) -> None:
    with MastodonServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(200, body)), count=None)
        with pytest.raises(PlatformError) as caught:
            facts_of(server)
    assert caught.value.problem.kind in (ErrorKind.INVALID, ErrorKind.TRANSIENT)


def test_an_address_without_the_api_is_invalid() -> None:
    with MastodonServer() as server:
        server.program(Fault(FaultKind.ANSWER, Answer(404, b"<html>No")), count=None)
        with pytest.raises(PlatformError) as caught:
            facts_of(server)
    assert caught.value.problem.kind is ErrorKind.INVALID
    assert caught.value.problem.hint is not None
    assert "URL" in caught.value.problem.hint


def test_a_token_without_the_scope_is_auth() -> None:
    with MastodonServer(scopes="write:statuses") as server, pytest.raises(PlatformError) as caught:
        facts_of(server)
    assert caught.value.problem.kind is ErrorKind.AUTH
    assert caught.value.problem.hint is not None
    assert "read:accounts" in caught.value.problem.hint
