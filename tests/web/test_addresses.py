"""What every address takes: HEAD and OPTIONS; and a test message to a webhook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.account import AccountState
from postsched.domain.scope import Scope
from postsched.service.desk import accounts_named
from postsched.store import accounts as account_rows
from postsched.web.schemas.documents import Checked
from postsched.web.schemas.platforms import Platform
from tests.web.asking import Api, api_at


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with api_at(tmp_path) as found:
        yield found


def test_head_is_get_without_its_body_and_options_says_what_is_taken(api: Api) -> None:
    api.add()
    for path in ("/posts/1", "/posts", "/health", "/openapi.json", "http://localhost/healthz"):
        got, head = api("GET", path), api("HEAD", path)
        assert (head.status_code, head.content) == (200, b""), path
        assert got.content
        for name in ("content-type", "content-length", "etag"):
            assert head.headers.get(name) == got.headers.get(name)
    assert api("HEAD", "/posts/99").status_code == 404
    assert api("HEAD", "http://localhost/readyz").status_code == 200
    told = api("OPTIONS", "/posts/1")
    assert (told.status_code, told.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PATCH")
    assert api("HEAD", "/queue/swap").headers["allow"] == "OPTIONS, POST"
    assert api("OPTIONS", "/nowhere").status_code == 404


def test_what_is_at_fault_is_named(api: Api) -> None:
    text = {"text": "Hello", "to": "me", "at": "in 2 hours"}
    wrong = api.refused(422, "no member 'txt'", "POST", "/schedule", json={"txt": "x"})
    assert (wrong["field"], wrong["hint"]) == ("txt", "Did you mean text?")
    wrong = api.refused(422, "no member 'in'", "POST", "/schedule", json={**text, "in": "2h"})
    assert wrong["hint"] == 'Say it as at: "in 2 hours"'
    assert "GET, HEAD, OPTIONS" in api.refused(405, "not take PUT", "PUT", "/health")["hint"]
    api.refused(404, "/api/v1/docs", "GET", "/nowhere")
    media = [{"pth": "x"}]
    wrong = api.refused(422, "'pth'", "POST", "/schedule", json={**text, "media": media})
    assert wrong["field"] == "media.0.pth"
    kind = {"Content-Type": "application/json"}
    api.refused(422, "the body: it is no valid", "POST", "/schedule", content="{", headers=kind)


def test_a_webhook_is_tried(api: Api) -> None:
    found = api("POST", "/webhooks/test", json={"url": "https://app.example/hook"})
    assert found.json() == {
        "webhook_id": "msg_1", "state": "failed", "answer": 500, "said": "no",
        "duration_ms": 250.0, "error": "it answers 500",
    }  # fmt: skip
    api.refused(422, "set url below", "POST", "/webhooks/test")
    inside = {"url": "https://127.0.0.1/x"}
    wrong = api.refused(422, "of this machine", "POST", "/webhooks/test", json=inside)
    assert wrong["field"] == "url"
    api.scope = Scope.DRAFT
    api.refused(403, "needs write", "POST", "/webhooks/test")
    assert api.tried == ["https://app.example/hook"]


def test_what_is_to_come_is_a_calendar_for_other_programs(api: Api) -> None:
    api.add("Hello, world")
    api.add("For another", to="work")
    found = api("GET", "/calendar.ics?account=me")
    assert (found.status_code, found.headers["content-type"]) == (
        200, "text/calendar; charset=utf-8",
    )  # fmt: skip
    assert found.text.startswith("BEGIN:VCALENDAR\r\n")
    assert found.text.count("BEGIN:VEVENT") == 1
    assert "Hello\\, world" in found.text
    api.refused(422, "nobody", "GET", "/calendar.ics?account=nobody")
    api.refused(422, "there is a month", "GET", "/calendar.ics?month=next&week=next")


def test_what_would_come_of_a_post_is_told_before(api: Api) -> None:
    post = {"text": "Hello", "to": "me,work", "at": "in 2 hours", "key": "k"}
    found = api("POST", "/check", json=post).json()
    would = Checked.model_validate(found).post
    assert would is not None
    assert (found["known"], [one.account for one in would.deliveries]) == (None, ["me", "work"])
    assert api("GET", "/posts").json()["items"] == []
    made = api("POST", "/posts", json=post).json()
    for document in (made, found["post"]):
        for part in (document, *document["deliveries"]):
            part.pop("id")
            part.pop("post_id", None)
    assert made == found["post"]
    assert api("POST", "/check", json=post).json() == {"post": None, "known": 1, "notes": []}
    api.refused(422, "past", "POST", "/check", json={**post, "key": None, "at": "yesterday 9am"})
    api.refused(422, "other words", "POST", "/check", json={**post, "text": "Else"})
    api.refused(422, "nobody", "POST", "/check", json={**post, "to": "nobody", "key": None})
    gap = {"text": "x", "to": "me", "at": "2027-03-28T02:30", "tz": "Europe/Vienna"}
    with api.desk.database.write() as connection:
        (one,) = accounts_named(connection, ["work"])
        account_rows.save(connection, replace(one, state=AccountState.LOGIN))
    (said,) = api("POST", "/check", json={**post, "key": None, "to": "work"}).json()["notes"]
    assert "login of work is refused" in said
    assert said.endswith(" (where postsched runs)"), said
    assert "is skipped" in " ".join(api("POST", "/check", json=gap).json()["notes"])


def test_limits_are_data(api: Api) -> None:
    api.scope = Scope.READ
    found = {one["name"]: one for one in api("GET", "/platforms").json()}
    for one in found.values():
        Platform.model_validate(one)
    assert found["bluesky"]["text_limit"] == 300


def test_one_occurrence_is_changed(api: Api) -> None:
    daily = {"text": "Daily", "to": "me,work", "at": "09:00", "repeat": "daily", "tz": "UTC"}
    made = api("POST", "/posts", json=daily)
    seen = {"If-Match": made.headers["etag"]}
    _, second, third = made.json()["schedule"]["next"][:3]
    day = second[:10]
    where = f"/posts/1/occurrences/{second}"
    api.refused(428, "If-Match", "PATCH", where, json={"text": "x"})
    mine = {"at": f"{day} 11:00", "tz": "UTC", "text": "Mine, today", "accounts": ["me"]}
    done = api("PATCH", where, json=mine, headers=seen)
    assert done.status_code == 200, done.text
    api.refused(412, "Read it again", "PATCH", where, json=mine, headers=seen)
    ahead = [one for one in api("GET", "/next?limit=6").json() if one["due_at"].startswith(day)]
    assert [(one["account"], one["due_at"][11:16], one["text"]) for one in ahead] == [
        ("work", "09:00", "Daily"), ("me", "11:00", "Mine, today"),
    ]  # fmt: skip
    star = {"If-Match": "*"}
    given: dict[str, Any]
    for given, words in (
        ({}, "nothing changes"), ({"at": "yesterday 9am"}, "past"), ({"text": " "}, "empty"),
        ({"text": "x", "accounts": ["nobody"]}, "nobody"), ({"text": "x", "to": "me"}, "'to'"),
    ):  # fmt: skip
        api.refused(422, words, "PATCH", where, json=given, headers=star)
    at = f"/posts/1/occurrences/{third[:11]}09:01:00Z"
    api.refused(404, "no such occurrence", "PATCH", at, json={"text": "x"}, headers=star)
    api.refused(422, "odd", "PATCH", "/posts/1/occurrences/odd", json={"text": "x"}, headers=star)
    api.add("Once")
    once = "/posts/2/occurrences/now"
    said = api.refused(409, "goes out once", "PATCH", once, json={"text": "x"}, headers=star)
    assert "PATCH /api/v1/posts/2" in said["hint"]
    skipped = api("POST", "/posts/1/cancel", json={"occurrence": third})
    assert skipped.status_code == 200
    assert not [one for one in api("GET", "/next?limit=9").json() if one["due_at"] == third]


@pytest.mark.slow
def test_more_than_a_calendar_holds_is_refused_not_cut(api: Api) -> None:
    """What goes out every minute, to two accounts: a year of it has more than 100,000 firings."""
    often = {"text": "Tick", "to": "me,work", "cron": "* * * * *", "tags": "often"}
    assert api("POST", "/posts", json=often).status_code == 201
    wrong = api.refused(422, "for one account", "GET", "/calendar.ics?tag=often")
    assert wrong["detail"] == "more than 100,000 posts go out in that time"
    assert api("GET", "/calendar.ics?week=next").text.count("BEGIN:VEVENT") == 2 * 7 * 24 * 60
