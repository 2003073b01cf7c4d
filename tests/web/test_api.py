"""The API: posts written, changed, found and cancelled over HTTP; and all that is refused."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from postsched.domain.scope import Scope
from postsched.service.desk import Desk
from postsched.testing.picture import png
from postsched.wakeup import Bell
from postsched.web.schemas.documents import Delivery, Health, Post
from postsched.web.schemas.views import (
    Account,
    Calendar,
    Firing,
    Group,
    Place,
    Preview,
    Slot,
    Stats,
    Status,
)
from tests.servers import postgres
from tests.service.desk import claim, publish
from tests.web.asking import Api, api_at

JSON = {"content-type": "application/json"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """An API with the accounts me and work."""
    with api_at(tmp_path) as made:
        yield made


def send(api: Api) -> None:
    """Send what is due."""
    for delivery in claim(api.desk):
        publish(api.desk, delivery)


def count(api: Api) -> int:
    """How many posts there are."""
    return len(api("GET", "/posts", params={"limit": 200}).json()["items"])


def test_a_post_from_its_writing_to_its_end(api: Api) -> None:
    made = api("POST", "/schedule", json={"text": "Hello", "to": ["me"], "at": "in 2 hours"})
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/schedule/1")
    Post.model_validate(made.json())
    found = api("GET", "/schedule/1")
    assert (found.json(), found.headers["etag"]) == (made.json(), made.headers["etag"])
    again = api("GET", "/posts/1", headers={"If-None-Match": f'W/{made.headers["etag"]}, "x"'})
    assert (again.status_code, again.content) == (304, b"")
    api.refused(428, "If-Match", "PATCH", "/posts/1", json={"text": "New"})
    stale = {"If-Match": '"0"'}
    api.refused(412, "Read it again", "PATCH", "/posts/1", json={"text": "New"}, headers=stale)
    match = {"If-Match": made.headers["etag"]}
    wanted = {"text": "New", "tags": "a, b", "comment": "First", "variants": {"me": "Mine"}}
    edited = api("PATCH", "/posts/1", json=wanted, headers=match)
    assert edited.status_code == 200, edited.text
    document = edited.json()
    assert [document[name] for name in ("text", "tags", "comment")] == ["New", ["a", "b"], "First"]
    assert document["schedule"]["at"] == made.json()["schedule"]["at"]
    api.refused(412, "Read it again", "PATCH", "/posts/1", json={"text": "Lost"}, headers=match)
    cleared = api("PATCH", "/posts/1", json={"comment": None}, headers={"If-Match": "*"}).json()
    assert (cleared["comment"], cleared["variants"]) == (None, {"me": "Mine"})
    gone = api("DELETE", "/schedule/1")
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert api("DELETE", "/schedule/1").json() == gone.json()
    api.refused(
        409, "it is cancelled", "PATCH", "/posts/1", json={"text": "x"}, headers={"If-Match": "*"}
    )
    assert api("POST", "/posts/1/retry").json()["status"] == "scheduled"
    api.clock.advance(7200)
    send(api)
    api.refused(409, "out already", "DELETE", "/schedule/1")
    tried = api("GET", "/deliveries/1").json()
    assert Delivery.model_validate(tried).status == "published"
    assert api("GET", "/history").json()["items"][0]["post_id"] == 1
    assert api("GET", "/health").json() == {
        "status": "stopped", "waiting": 0, "active": 0, "completed": 1, "failed": 0,
    }  # fmt: skip


@pytest.mark.sqlite
def test_what_is_written_wakes_the_engine(api: Api) -> None:
    async def wait() -> None:
        bell, rung = Bell(api.desk.bells, "0" * 32), asyncio.Event()
        try:
            bell.hang(asyncio.get_running_loop(), rung.set)
            post = {"text": "Hello", "to": "me", "at": "in 1h"}
            await api.ask(("POST", "/schedule", {"json": post}))
            async with asyncio.timeout(30):
                await rung.wait()
        finally:
            bell.silence(asyncio.get_running_loop())
            bell.take_down(keep=False)

    asyncio.run(wait())


FAULTS: list[tuple[Any, str | None, str]] = [
    ({"txet": "x"}, "txet", "Did you mean text?"),
    ({"text": "x", "at": "in 1h"}, "to", "is missing"),
    ({"to": "me", "text": "x"}, "at", "say when"),
    ({"to": "me", "at": "in 1h"}, "text", "is missing"),
    ({"to": "mee", "text": "x", "at": "in 1h"}, "to", "Did you mean me?"),
    ({"to": "me", "text": "x", "at": "2020-01-01T10:00"}, "at", "past"),
    ({"to": "me", "text": "x", "at": "whenever"}, "at", "whenever"),
    ({"to": "me", "text": 5, "at": "in 1h"}, "text", "string"),
    ({"to": 7, "text": "x", "at": "in 1h"}, "to", "string or should be a valid list"),
    ({"to": "me", "text": "a\0b", "at": "in 1h"}, "text", "U+0000"),
    ({"to": "me", "text": "x" * 1_000_001, "at": "in 1h"}, "text", "1000000"),
    ({"to": "me", "text": "x", "at": "in 1h", "priority": 2**40}, "priority", "2147483647"),
    ({"to": "me", "text": "x", "at": "in 1h", "priority": "3"}, "priority", "integer"),
    ({"to": "me", "text": "x", "at": "in 1h", "draft": "yes"}, "draft", "boolean"),
    ({"to": "me", "text": "x", "at": "in 1h", "key": "k" * 201}, "key", "200"),
    ({"to": "me", "text": "x", "at": "in 1h", "media": [{"pat": "a"}]}, "media.0.pat", "path?"),
    ({"to": "me", "text": "x", "at": "in 1h", "media": [{"url": "http://127.0.0.1/a.png"}]},
     "media", "only this machine"),
    ({"to": "me", "text": "x", "at": "in 1h", "media": [{"url": "file:///etc/passwd"}]},
     "media", "no web address"),
]  # fmt: skip
BYTES: list[tuple[bytes, str]] = [
    (b"", "missing"),
    (b"[]", "no JSON object"),
    (b"null", "no JSON object"),
    (b"{", "no valid JSON at line 1"),
    (b'{"to":"me"} x', "more after"),
    (b'{"to":"me","to":"work"}', "'to' twice"),
    (b'{"to":"me","priority":NaN}', "NaN"),
    (b'{"to":"me","priority":' + b"9" * 5000 + b"}", "number is too long"),
    (b'{"to":"me","media":' + b"[" * 100_000, "too deeply"),
    (b'{"to":"me","text":"\\ud800"}', "unicode"),
    (b'{"text":"\xff"}', "not UTF-8 (byte 9)"),
]


def test_what_can_not_be_taken_is_one_clear_problem(api: Api) -> None:
    for given, field, words in FAULTS:
        assert api.refused(422, words, "POST", "/schedule", json=given)["field"] == field, given
    for content, words in BYTES:
        api.refused(422, words, "POST", "/schedule", content=content, headers=JSON)
    api.refused(415, "text/plain", "POST", "/schedule", content=b"{}",
                headers={"content-type": "text/plain"})  # fmt: skip
    api.refused(413, "4,000,000", "POST", "/schedule", content=b" " * 4_000_001, headers=JSON)
    for path in ("/posts/0", "/posts/x", f"/posts/{2**63}", "/posts?limit=0", "/posts?cursor=W10",
                 "/posts?lmit=3", "/posts?status=odd", "/posts?account=nobody", "/posts?from=odd",
                 "/posts?tag=%00", "/history?cursor=%F0", "/calendar?month=13", "/next?days=0",
                 "/calendar?month=next&week=next", "/deliveries?post=0"):  # fmt: skip
        api.refused(422, "", "GET", path)
    for path in (f"/posts/{2**63 - 1}", "/schedule/9", "/deliveries/9", "/accounts/x", "/nowhere"):
        api.refused(404, "", "GET", path)
    wrong = api("PUT", "/posts/1")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS, PATCH")
    assert count(api) == 0


def test_a_write_with_a_key_happens_once(api: Api) -> None:
    key, post = {"Idempotency-Key": "a-1"}, {"text": "Once", "to": "me", "at": "in 1 minute"}
    asked = ("POST", "/schedule", {"json": post, "headers": key})
    answers = api.all(*[asked] * 8)
    assert [one.status_code for one in answers] == [201] * 8
    assert len({one.content for one in answers}) == 1
    assert sum("idempotency-replayed" in one.headers for one in answers) == 7
    api.clock.advance(3600)  # by then its time has passed
    (again,) = api.all(asked)
    assert (again.status_code, again.json()) == (201, answers[0].json())
    assert again.headers["location"] == "/api/v1/schedule/1"
    api.refused(422, "another request", "POST", "/schedule", json=post | {"text": "x"}, headers=key)
    api.refused(422, "another request", "POST", "/posts", json=post, headers=key)
    api.name = "somebody"
    assert api("POST", "/schedule", json=post, headers=key).json()["id"] == 2
    assert count(api) == 2
    bad, key = post | {"to": "nobody"}, {"Idempotency-Key": "b"}
    api.refused(422, "nobody", "POST", "/schedule", json=bad, headers=key)
    cancelled = api("DELETE", "/schedule/2", headers=key)
    api("POST", "/posts/2/retry")
    assert api("DELETE", "/schedule/2", headers=key).json() == cancelled.json()
    assert api("GET", "/posts/2").json()["status"] == "scheduled", "cancelled twice"
    api.clock.advance(86_400)
    assert api("DELETE", "/schedule/2", headers=key).json()["status"] == "cancelled"
    api.refused(
        422, "Idempotency-Key", "POST", "/posts", json=post, headers={"Idempotency-Key": "a b"}
    )


class Mortal(Desk):
    """A desk whose process dies between the commit and the answer."""

    def tell(self) -> None:
        """Die."""
        raise KeyError("killed")


def test_an_answer_that_was_lost_is_given_when_asked_again(api: Api) -> None:
    key, post = {"Idempotency-Key": "a"}, {"text": "Once", "to": "me", "at": "in 1h"}
    whole = api.desk
    api.desk = Mortal(whole.database, whole.settings, whole.now, whole.zone)
    assert api("POST", "/schedule", json=post, headers=key).status_code == 500
    api.desk = whole
    again = api("POST", "/schedule", json=post, headers=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert (again.json(), count(api)) == (api("GET", "/schedule/1").json(), 1)


def test_a_key_of_the_post_adds_once_too(api: Api) -> None:
    first = api.add(key="spring", at="in 1 minute")
    api.clock.advance(3600)
    assert api.add(key="spring", at="in 1 minute")["id"] == first["id"]
    api.refused(422, "another", "POST", "/posts",
                json={"text": "Other", "to": "me", "at": "in 1h", "key": "spring"})  # fmt: skip


def test_lists_come_page_by_page(api: Api) -> None:
    for n in range(7):
        api.add(f"Post {n}", f"in {n + 1} minutes", tags=["odd"] if n % 2 else [])
    seen, path, pages = [], "/posts?limit=3&account=me", 0
    while path:
        answer = api("GET", path)
        seen += [post["text"] for post in answer.json()["items"]]
        link = answer.links.get("next", {}).get("url")
        assert (link is None) == (answer.json()["next"] is None)
        path, pages = link.removeprefix("/api/v1") if link else "", pages + 1
        api.add("Written meanwhile", "in 1h") if pages == 1 else None
    assert (seen, pages) == ([f"Post {n}" for n in range(6, -1, -1)], 3)
    texts = [one["text"] for one in api("GET", "/posts?tag=odd&search=post").json()["items"]]
    assert texts == ["Post 5", "Post 3", "Post 1"]
    api.clock.advance(240)
    send(api)
    first = api("GET", "/history?limit=3").json()
    rest = api("GET", "/history", params={"cursor": first["next"]}).json()
    assert [one["post_id"] for one in first["items"] + rest["items"]] == [4, 3, 2, 1]
    found = api("GET", "/deliveries?status=scheduled&limit=2").json()
    assert [one["post_id"] for one in found["items"]] == [8, 7]
    assert api("GET", "/deliveries?post=2").json()["items"][0]["status"] == "published"


def test_who_may_only_propose_proposes_drafts(api: Api) -> None:
    api.add("Planned")
    api.scope = Scope.DRAFT
    post = {"text": "Proposed", "to": "me", "at": "in 1h"}
    api.refused(403, "propose", "POST", "/schedule", json=post)
    assert api("POST", "/schedule", json=post | {"draft": True}).json()["status"] == "draft"
    star = {"If-Match": "*"}
    assert api("PATCH", "/posts/2", json={"text": "Better"}, headers=star).status_code == 200
    for path, changes in (("/posts/2", {"draft": False}), ("/posts/2", {"at": "in 3h"}),
                          ("/posts/1", {"text": "x"}), ("/posts/1", {"draft": True})):  # fmt: skip
        api.refused(403, "propose", "PATCH", path, json=changes, headers=star)
    api.refused(403, "needs write", "POST", "/posts/2/approve")
    api.refused(403, "no draft (any more)", "DELETE", "/schedule/1")
    api.scope = Scope.READ
    api.refused(403, "needs draft", "POST", "/schedule", content=b"not even read")
    api.scope = Scope.WRITE
    api.refused(428, "If-Match", "POST", "/posts/2/approve")
    api.refused(412, "Read it again", "POST", "/posts/2/approve", headers={"If-Match": '"old"'})
    seen = {"If-Match": api("GET", "/posts/2").headers["etag"]}
    assert api("POST", "/posts/2/approve", headers=seen).json()["status"] == "scheduled"


def test_media_are_sent_in_and_named_by_their_content(api: Api, tmp_path: Path) -> None:
    sent = api("POST", "/media?name=../a/cat.png", content=png(5, 4))
    kept = sent.json()
    assert (sent.status_code, kept["type"], kept["width"], kept["height"]) == (
        201,
        "image/png",
        5,
        4,
    )
    assert kept["path"] == f"{kept['sha256']}/.._a_cat.png"
    made = api.add(media=[{"path": kept["path"], "alt": "A cat"}])
    assert made["media"][0] | {"bytes": 0} == {
        "path": kept["path"], "alt": "A cat", "type": "image/png", "bytes": 0,
    }  # fmt: skip
    star = {"If-Match": "*"}
    same = [{"path": kept["path"], "alt": "The cat"}]
    edited = api("PATCH", "/posts/1", json={"media": same}, headers=star)
    assert edited.json()["media"][0]["alt"] == "The cat"
    secret = tmp_path / "secret.png"
    secret.write_bytes(png())
    for path in (str(secret), "secret.png", "../secret.png", f"{kept['sha256']}/../../secret.png",
                 f"{'0' * 64}/cat.png", kept["sha256"], f"{kept['sha256']}/", "~/x", "file://x",
                 f"../media/{kept['sha256'][:2]}/{kept['sha256']}"):  # fmt: skip
        post = {"text": "x", "to": "me", "at": "in 1h"}
        for where in ({"media": [{"path": path}]}, {"then": [{"media": [{"path": path}]}]}):
            api.refused(422, "", "POST", "/posts", json=post | where)
            api.refused(422, "", "POST", "/preview", json=post | where)
    api.refused(422, "", "POST", "/posts", json={"text": str(secret), "to": "me", "texts": []})
    given = {"to": "me", "texts": [str(secret)], "at": "in 1h"}
    assert api("POST", "/posts", json=given).json()["texts"] == [str(secret)], (
        "a file was looked at"
    )

    async def pieces() -> Any:
        for _ in range(3):
            yield bytes(400_000)

    api.refused(413, "1,000,000", "POST", "/media?name=a", content=bytes(1_000_001))
    api.refused(413, "1,000,000", "POST", "/media?name=a", content=pieces())
    assert not list((tmp_path / "media").glob(".new-*"))


def test_accounts_slots_and_what_is_to_come(api: Api) -> None:
    accounts = api("GET", "/accounts").json()
    assert [Account.model_validate(one).name for one in accounts] == ["me", "work"]
    made = api("PUT", "/groups/team", json={"accounts": ["me", "work"]}).json()
    assert Group.model_validate(made).accounts == ["me", "work"]
    assert api("GET", "/groups/team").json() == api("GET", "/groups").json()[0] == made
    slots = {"name": "team", "days": "mon-fri", "times": ["09:00", "5pm"]}
    assert [Slot.model_validate(one).time for one in api("POST", "/slots", json=slots).json()] == [
        "09:00", "17:00",
    ]  # fmt: skip
    assert len(api("DELETE", "/slots?name=team&days=fri&time=17:00").json()) == 2
    posted = [
        api("POST", "/posts", json={"text": t, "to": "me", "slot": True}).json()["id"] for t in "ab"
    ]
    queue = api("POST", f"/queue/{posted[1]}/up").json()
    assert [Place.model_validate(one).text for one in queue if not one["free"]][:2] == ["b", "a"]
    swapped = api("POST", "/queue/swap", json={"post": posted[0], "other": posted[1]}).json()
    assert [one["text"] for one in swapped if not one["free"]] == ["a", "b"]
    first = api("POST", "/queue/shuffle", json={"seed": 1}).json()[0]["post_id"]
    api.refused(409, "first already", "POST", f"/queue/{first}/up", json={"accounts": ["me"]})
    nobody = {"accounts": ["nobody"]}
    for path, given in (
        (f"/queue/{first}/up", nobody),
        ("/queue/shuffle", nobody),
        ("/queue/swap", {"post": posted[0], "other": posted[1], **nobody}),
    ):
        assert api.refused(422, "nobody", "POST", path, json=given)["field"] == "accounts"
    api.refused(404, "no post 99", "POST", "/queue/99/up")
    unknown = {"post": posted[0], "other": 99}
    assert api.refused(422, "no post 99", "POST", "/queue/swap", json=unknown)["field"] == "post"
    daily = {"text": "Daily", "to": "team", "repeat": "daily", "at": "12:00"}
    assert api("POST", "/posts", json=daily).json()["schedule"]["kind"] == "daily"
    coming = [Firing.model_validate(one) for one in api("GET", "/next?limit=5&account=work").json()]
    assert [one.text for one in coming] == ["Daily"] * 5
    week = Calendar.model_validate(api("GET", "/calendar?week=next").json())
    assert sum(one.text == "Daily" for day in week.days for one in day.firings) == 14
    shown = api("POST", "/preview", json={"text": "Look", "to": "me"}).json()
    assert Preview.model_validate(shown).accounts[0].parts[0].text == "Look"
    assert [one["paused"] for one in api("POST", "/accounts/team/pause").json()] == [True, True]
    assert api("POST", "/pause").json() == {"paused": True, "missed": 0}
    assert Health.model_validate(api("GET", "/health").json()).status == "paused"
    assert api("POST", "/resume").json()["paused"] is False
    assert Status.model_validate(api("GET", "/monitoring/queue").json()).counts["scheduled"] == 4
    assert Stats.model_validate(api("GET", "/monitoring/stats").json()).accounts == []
    assert api("GET", "/monitoring/recent").json() == []
    assert api("DELETE", "/groups/team").json() == made


def test_nobody_is_not_even_listened_to(api: Api) -> None:
    nobody = {"Authorization": "Bearer of news"}
    api.refused(401, "say who you are", "GET", "/posts/1", headers=nobody)
    api.refused(401, "token add", "POST", "/schedule", content=b"{", headers=nobody)
    assert api("GET", "/openapi.json", headers=nobody).json()["security"] == [{"bearer": []}]


def test_the_schema_is_served_and_read_by_people(api: Api) -> None:
    served = api("GET", "/openapi.json")
    assert json.loads(served.text)["openapi"].startswith("3.1")
    page = api("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/api/v1/schedule/{post_id}" in page.text
    for loading in ("src=", "<script", "<style", "//cdn", "@import"):
        assert loading not in page.text


def test_a_database_that_can_not_be_used_is_a_problem(api: Api) -> None:
    api.add()
    path = api.desk.database.path
    if path is None:
        postgres.drop()
        for words in ("terminated|terminating|closed", "does not exist"):
            problem = api.refused(503, "", "GET", "/posts/1")
            assert re.search(words, problem["detail"])
        return
    aside = path.rename(path.with_name("aside.db"))
    api.refused(503, "is gone", "GET", "/posts/1")
    aside.rename(path)
    assert api("GET", "/posts/1").status_code == 200
