"""The loopback Mastodon is as strict as its fact sheet."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from postsched.testing import MastodonServer
from postsched.testing.mastodon import TOKEN
from postsched.testing.picture import png

STATUSES = "/api/v1/statuses"


class Times:
    """A clock that a test moves, in nanoseconds."""

    def __init__(self) -> None:
        self.at = 1_795_000_000 * 10**9

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture(params=["mastodon"])
def server(request: pytest.FixtureRequest, times: Times) -> Iterator[MastodonServer]:
    with MastodonServer(flavour=request.param, clock=times) as server:
        yield server


@pytest.fixture
def http(server: MastodonServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as http:
        yield http


def post(http: httpx.Client, text: str, key: str | None = None, **more: object) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return http.post(STATUSES, json={"status": text, **more}, headers=headers)


def flavoured(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("server", [name], indirect=True)


def test_a_key_is_remembered_for_an_hour(http: httpx.Client, times: Times) -> None:
    first = post(http, "Hello", "k")
    times.at += 3599 * 10**9
    assert post(http, "anything", "k").json()["id"] == first.json()["id"]
    times.at += 2 * 10**9
    assert post(http, "Hello", "k").json()["id"] != first.json()["id"]


def test_a_key_of_a_deleted_status_is_404(http: httpx.Client) -> None:
    first = post(http, "Hello", "k").json()
    assert http.delete(f"{STATUSES}/{first['id']}").json()["text"] == "Hello"
    assert http.delete(f"{STATUSES}/{first['id']}").status_code == 404
    assert post(http, "Hello", "k").status_code == 404


@flavoured("gotosocial")
def test_gotosocial_knows_no_keys(http: httpx.Client) -> None:
    assert post(http, "Hello", "k").json()["id"] != post(http, "Hello", "k").json()["id"]


@flavoured("pleroma")
def test_pleroma_repeats_refusals(http: httpx.Client) -> None:
    refused, again = post(http, "", "k"), post(http, "Hello", "k")
    assert (refused.status_code, again.status_code) == (422, 422)
    assert "idempotent-replayed" not in refused.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert post(http, "Hello", "other").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "x" * 500}, 200),
        ({"status": "x" * 501}, 422),
        ({"status": "x" * 490, "spoiler_text": "x" * 11}, 422),
        ({"status": "https://example.com/" + "x" * 400 + " " + "y" * 476}, 200),
        ({"status": "@me@" + "x" * 300 + ".example " + "y" * 496}, 200),
        ({"status": "👩‍👩‍👧" * 500}, 200),
        ({"status": ""}, 422),
        ({"status": " \n "}, 422),
        ({"status": "x", "visibility": "followers"}, 422),
        ({"status": "x", "language": "german please"}, 422),
        ({"status": "x", "in_reply_to_id": "1"}, 404),
        ({"status": "x", "media_ids": ["1"]}, 422),
        ({"status": "x", "scheduled_at": "2030-01-01T00:00:00Z"}, 400),
    ],
)
def test_a_status_is_judged(http: httpx.Client, body: dict[str, object], status: int) -> None:
    assert http.post(STATUSES, json=body).status_code == status


@flavoured("gotosocial")
def test_gotosocial_counts_everything_and_says_400(http: httpx.Client) -> None:
    assert post(http, "x" * 5000).status_code == 200
    assert post(http, "https://example.com/" + "x" * 4981).status_code == 400


def test_media_are_used_once_and_when_ready(http: httpx.Client, server: MastodonServer) -> None:
    server.processing = 1
    files = {"file": ("a.png", png(), "image/png")}
    uploaded = http.post("/api/v2/media", files=files)
    assert uploaded.status_code == 202
    media = [uploaded.json()["id"]]
    early = post(http, "x", media_ids=media)
    assert early.status_code == 422
    assert "not finished processing" in early.json()["error"]
    assert http.get(f"/api/v1/media/{media[0]}").status_code == 206
    assert http.get(f"/api/v1/media/{media[0]}").status_code == 200
    assert post(http, "x", media_ids=media).status_code == 200
    assert http.get(f"/api/v1/media/{media[0]}").status_code == 404
    assert post(http, "x", media_ids=media).status_code == 422


def test_pages_are_newest_first(http: httpx.Client) -> None:
    ids = [post(http, str(n)).json()["id"] for n in range(5)]

    def page(**query: str) -> list[int]:
        rows = http.get("/api/v1/accounts/7/statuses", params=query).json()
        return [ids.index(row["id"]) for row in rows]

    assert page() == [4, 3, 2, 1, 0]
    assert page(limit="2") == [4, 3]
    assert page(limit="2", max_id=ids[3]) == [2, 1]
    assert page(limit="2", min_id=ids[0]) == [2, 1]
    assert http.get("/api/v1/accounts/8/statuses").status_code == 404


def test_a_token_and_its_scopes_are_asked_for(server: MastodonServer, http: httpx.Client) -> None:
    assert httpx.post(server.url + STATUSES, json={"status": "x"}).status_code == 401
    server.scopes = "read:accounts"
    assert post(http, "x").status_code == 403
    assert http.get("/api/v1/accounts/verify_credentials").status_code == 200


def test_a_quota_ends_and_begins_anew(
    server: MastodonServer, http: httpx.Client, times: Times
) -> None:
    server.quota = 2
    answers = [post(http, "x") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["1", "0", "0"]
    assert answers[2].headers["x-ratelimit-reset"].endswith("Z")
    assert "retry-after" not in answers[2].headers
    times.at += 301 * 10**9
    assert post(http, "x").status_code == 200
