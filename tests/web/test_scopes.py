"""Who may what, over every operation that the OpenAPI document has: nobody without a token, no
write by a reader, no more than drafts by a drafter, and nothing of one caller by another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from postsched.domain.scope import Scope
from tests.web.asking import Api, api_at

PUBLIC = {"/openapi.json", "/docs"}
READS = {("post", "/preview"), ("post", "/check")}
"""What asks by POST and writes nothing."""
DRAFTS = {("post", "/schedule"), ("post", "/posts"), ("patch", "/posts/{post_id}"),
          ("delete", "/schedule/{post_id}"), ("post", "/posts/{post_id}/cancel"),
          ("post", "/media")}  # fmt: skip
PLACES = {"post_id": "1", "delivery_id": "1", "hook_id": "1", "name": "me", "when": "now"}
BODY: dict[str, Any] = {"json": {}}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """An API with a post."""
    with api_at(tmp_path) as made:
        made.add()
        yield made


def operations(api: Api) -> list[tuple[str, str, str]]:
    """Method, path as it is described, and one that leads somewhere."""
    found = []
    for path, methods in api.app.openapi()["paths"].items():
        short = path.removeprefix("/api/v1")
        found += [(method, short, short.format(**PLACES)) for method in methods]
    assert len(found) > 30
    return found


def asked(api: Api, which: list[tuple[str, str, str]], **headers: str) -> dict[str, int]:
    """The status of each."""
    every = api.all(*((method, path, BODY | {"headers": headers}) for method, _, path in which))
    return {f"{method} {path}": answer.status_code
            for (method, _, path), answer in zip(which, every, strict=True)}  # fmt: skip


def test_every_operation_asks_who_it_is_and_what_they_may(api: Api) -> None:
    every = operations(api)
    closed = [one for one in every if one[1] not in PUBLIC]
    writes = [one for one in closed if one[0] != "get" and one[:2] not in READS]
    for shown in ("", "Bearer", "Bearer other", "Basic dGVzdHM6"):
        answers = asked(api, closed, Authorization=shown)
        assert set(answers.values()) == {401}, (shown, answers)
    api.scope = Scope.READ
    answers = asked(api, writes)
    assert set(answers.values()) == {403}, answers
    api.scope = Scope.DRAFT
    persons = [one for one in writes if one[:2] not in DRAFTS]
    assert len(persons) == len(writes) - len(DRAFTS)
    answers = asked(api, persons)
    assert set(answers.values()) == {403}, answers
    proposing = asked(api, [one for one in writes if one[:2] in DRAFTS])
    assert len(proposing) == len(DRAFTS)
    assert set(proposing.values()) == {403, 422}, proposing
    assert api("GET", "/posts/1").json()["status"] == "scheduled"


def test_a_drafter_changes_nothing_that_goes_out(api: Api) -> None:
    draft = {"text": "Mine", "to": "me", "draft": True}
    api.scope = Scope.DRAFT
    for path in ("/posts", "/schedule"):
        api.refused(403, "drafts", "POST", path, json=draft | {"draft": False, "at": "in 1 hour"})
    assert api("POST", "/posts", json=draft | {"at": "in 1 hour"}).status_code == 201
    changes: dict[int, list[dict[str, Any]]] = {
        1: [{"text": "Mine now"}, {"draft": True}, {"at": "in 1 minute"}, {"to": "work"}],
        2: [{"draft": False}, {"at": "in 2 hours", "draft": False}],
    }
    for post_id, given in changes.items():
        for change in given:
            etag = api("GET", f"/posts/{post_id}").headers["etag"]
            where = f"/posts/{post_id}"
            api.refused(403, "drafts", "PATCH", where, json=change, headers={"If-Match": etag})
    assert api("GET", "/posts/1").json()["text"] == "Hello"
    assert api("GET", "/posts/2").json()["status"] == "draft"


def test_a_drafter_has_the_drafts_that_it_made_and_no_others(api: Api) -> None:
    """Nor what a person has approved, discarded, or made a draft again."""
    post, star = {"text": "Hi", "to": "me", "at": "in 3 hours"}, {"If-Match": "*"}

    def propose(name: str, **more: Any) -> str:
        api.name, api.scope = name, Scope.DRAFT
        made = api("POST", "/posts", json=post | {"draft": True} | more)
        assert (made.status_code, made.json()["status"]) == (201, "draft")
        return str(made.json()["id"])

    def attempts(name: str, number: str) -> set[int]:
        """What comes of all that somebody who drafts may do with a draft."""
        api.name, api.scope = name, Scope.DRAFT
        change = {"json": {"text": "Changed"}, "headers": star}
        answers = [api("PATCH", f"/posts/{number}", **change),
                   api("POST", f"/posts/{number}/cancel", json={}),
                   api("DELETE", f"/schedule/{number}")]  # fmt: skip
        return {one.status_code for one in answers}

    def person(method: str, path: str, **rest: Any) -> None:
        api.name, api.scope = "person", Scope.WRITE
        answer = api(method, path, headers=star, **rest)
        assert answer.status_code in (200, 201), answer.text

    persons = str(api.add("A person's", draft=True, tags=["agent", "token:bot", "bot"])["id"])
    bots, others = propose("bot", key="k"), propose("other")
    assert propose("other", key="k") == bots, "the post with that key, which is not made twice"
    assert attempts("bot", "1") == attempts("bot", persons) == attempts("bot", others) == {403}
    assert attempts("other", bots) == attempts("bo", bots) == {403}
    api.name = "bot"
    assert api("PATCH", f"/posts/{bots}", json={"text": "Better"}, headers=star).status_code == 200
    assert api("DELETE", f"/schedule/{bots}").json()["status"] == "cancelled"
    assert attempts("bot", bots) == {403}, "discarded is discarded"
    approved, taken, edited = propose("bot"), propose("bot"), propose("bot")
    person("POST", f"/posts/{approved}/approve")
    person("DELETE", f"/schedule/{taken}")
    person("PATCH", f"/posts/{edited}", json={"text": "A word of a person"})
    for number in (approved, taken):
        assert attempts("bot", number) == {403}
        person("PATCH", f"/posts/{number}", json={"draft": True})
        assert attempts("bot", number) == {403}, "it came back as a person's"
        assert api("GET", f"/posts/{number}").json()["text"] == "Hi"
    api.name = "bot"
    assert api("POST", f"/posts/{edited}/cancel").json()["status"] == "cancelled"
    assert api("GET", f"/posts/{others}").json()["text"] == "Hi"


@pytest.mark.slow
def test_no_caller_has_what_another_one_did(api: Api) -> None:
    key = {"headers": {"Idempotency-Key": "one"}}
    post = {"json": {"text": "Once", "to": "me", "at": "in 1 hour"}} | key
    first = api("POST", "/posts", **post).json()["id"]
    assert api("POST", "/posts", **post).json()["id"] == first
    api.name = "somebody else"
    answer = api("POST", "/posts", **post)
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (201, False)
    assert answer.json()["id"] != first
    api.scope = Scope.READ  # and a scope that was taken away is gone for what was done by it, too
    assert api("POST", "/posts", **post).status_code == 403


@pytest.mark.slow
def test_every_address_answers_to_every_method(api: Api) -> None:
    for _, described, path in operations(api):
        for method in ("HEAD", "OPTIONS", "TRACE", "QUERY", "PUT", "DELETE", "PATCH", "FOO"):
            answer = api(method, path)
            assert answer.status_code < 500, (method, described)
            if answer.status_code == 405:
                assert answer.headers["allow"], (method, described)
            if method == "HEAD":
                assert not answer.content, described
    for path in ("/healthz", "/readyz", "/metrics"):
        assert api("HEAD", f"http://localhost{path}").status_code in (200, 503), path
