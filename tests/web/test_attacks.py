"""Attacks on the API by those who have a token, and by those who have another one: each is tried,
and refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

import httpx

from postsched.domain.scope import Scope
from postsched.domain.serving import Web
from postsched.domain.setting import Rate
from postsched.domain.token import digest_of
from postsched.service import sessions, tokens
from postsched.service.desk import Desk
from postsched.testing import FakeClock
from postsched.web.app import create_app
from postsched.web.bearer import Bearers, Jwts
from tests.service.desk import desk_at
from tests.web.asking import Api, api_at

POST = {"text": "x", "to": "me", "at": "in 1h"}
INSIDE = (
    "127.0.0.1", "127.1", "0.0.0.0", "0", "2130706433", "017700000001", "0177.0.0.1", "0x7f.1",
    "0x7f000001", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fd00::1]", "[fc00::1]", "[fe80::1]", "[fec0::1]",
    "localhost", "LOCALHOST.", "db.internal", "printer.local", "router.home.arpa", "intranet",
    "127.0.0.1.", "[::ffff:0:a00:1]", "224.0.0.1", "255.255.255.255",
)  # fmt: skip
WITH_LOGINS = (
    "https://me@127.0.0.1/", "https://hooks.example@127.0.0.1/", "https://a:b@10.0.0.1/",
    "https://hooks.example\\@127.0.0.1/", "https://127.0.0.1\\@hooks.example/",
)  # fmt: skip
NO_ADDRESSES = (
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "ftp://hooks.example/", "//127.0.0.1/",
    "https:127.0.0.1", "https://", "https://hooks.example:99999/", "javascript:alert(1)",
    "https://hooks.example/\r\nHost: 127.0.0.1", "data:text/plain,x", "https://１２７。０.０.１/",
    "https://ⓛocalhost/",
)  # fmt: skip


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """An API with the accounts me and work."""
    with api_at(tmp_path) as made:
        yield made


def test_nothing_inside_can_be_named_however_it_is_written(api: Api) -> None:
    """What is looked up is judged again when it is called: tests/transport/test_addresses.py."""
    asked: list[tuple[str, str, dict[str, Any]]] = []
    for url in [f"https://{host}/a.png" for host in INSIDE] + [*WITH_LOGINS, *NO_ADDRESSES]:
        media = [{"url": url}]
        asked += [
            ("POST", "/posts", {"json": POST | {"media": media}}),
            ("POST", "/check", {"json": POST | {"then": [{"text": "y", "media": media}]}}),
            ("POST", "/posts", {"json": POST | {"callback": url}}),
            ("POST", "/webhooks/test", {"json": {"url": url}}),
        ]
    answers = zip(asked, api.all(*asked), strict=True)
    assert [one for one, answer in answers if answer.status_code != 422] == []
    assert api.tried == []
    assert api("GET", "/posts").json()["items"] == []


def test_the_address_of_a_callback_is_for_those_who_write(api: Api) -> None:
    """It may have a secret in it."""
    url = "https://hooks.example/s3cret?token=s3cret"
    made = api.add(callback=url)
    seen = api("GET", "/posts/1")
    assert made["callback"] == seen.json()["callback"] == url
    for scope in (Scope.READ, Scope.DRAFT):
        api.scope = scope
        paths = ("/posts/1", "/schedule/1", "/posts", "/history", "/deliveries/1", "/webhooks")
        answers = [api("GET", path) for path in paths]
        assert not [one for one in answers if "s3cret" in one.text]
        assert answers[0].json() == made | {"callback": "https://hooks.example/…"}
        assert answers[0].headers["etag"] == seen.headers["etag"]


class Callers:
    """Those who ask an API that lets nobody in without a token, at addresses of their own."""

    def __init__(self, desk: Desk, web: Web) -> None:
        self.desk, self.now = desk, 0.0
        authenticate = Bearers(desk, Jwts(web, None, lambda: self.now), _at_once)
        self.app = create_app(lambda: desk, authenticate, web, lambda: self.now)

    def ask(
        self,
        shown: str | None,
        path: str = "/health",
        address: str = "192.0.2.1",
        **headers: str,
    ) -> httpx.Response:
        """The answer to who shows that."""

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(address, 1))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                who = {"Authorization": f"Bearer {shown}"} if shown is not None else {}
                return await client.get(f"/api/v1{path}", headers=who | headers)

        return asyncio.run(once())

    def token(self, name: str, holds: timedelta | None = None) -> str:
        """A new token that may read."""
        return str(tokens.add(self.desk, name, Scope.READ, holds)[1].reveal())


async def _at_once(work: Any) -> Any:
    return work()


def test_each_caller_has_a_rate_and_who_fails_keeps_nobody_out(tmp_path: Path) -> None:
    web = Web(rate=Rate(3, timedelta(minutes=1)))
    with desk_at(tmp_path, FakeClock()) as desk:
        callers = Callers(desk, web)
        mine, other = callers.token("mine"), callers.token("other")
        statuses = [callers.ask(mine, address=f"192.0.2.{n}").status_code for n in range(5)]
        assert statuses == [200, 200, 200, 429, 429], "wherever it asks from"
        refused = callers.ask(mine)
        assert refused.headers["retry-after"] == "20"
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["detail"] == "too many requests: try again in 20 s"
        assert callers.ask(other).status_code == 200, "the rate is of each"
        callers.now += 20
        assert [callers.ask(mine).status_code for _ in range(2)] == [200, 429]
        guesses = [callers.ask(f"pst_{n}").status_code for n in range(35)]
        assert guesses == [401] * 30 + [429] * 5
        assert callers.ask("pst_x", address="192.0.2.9").status_code == 401
        forwarded = {"X-Forwarded-For": "192.0.2.77", "Forwarded": "for=192.0.2.78"}
        assert callers.ask("pst_x", **forwarded).status_code == 429, "anybody can say that"
        assert callers.ask(other).status_code == 200, "who guesses at an address is not all there"


def test_a_token_is_let_in_while_it_holds_and_nothing_that_is_like_it(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / "other").mkdir()
    with desk_at(tmp_path, clock) as desk, desk_at(tmp_path / "other", clock) as elsewhere:
        callers = Callers(desk, Web())
        mine, short = callers.token("mine"), callers.token("short", timedelta(hours=1))
        session = sessions.begin(desk, mine)
        assert session is not None
        alike = (
            Callers(elsewhere, Web()).token("mine"), digest_of(mine), mine[:-1], mine + "x",
            mine.upper(), mine.removeprefix("pst_"), f"{mine} {mine}", session, "mine",
            "' OR 1=1 --", "pst_", "pst_%00", mine + "\x7f", "x" * 9000,
        )  # fmt: skip
        for shown in alike:
            assert callers.ask(shown).status_code == 401, shown
        assert callers.ask(None, f"/health?access_token={mine}").status_code == 401
        assert callers.ask(None, Cookie=f"postsched={session}").status_code == 401
        assert callers.ask(None, Cookie=f"postsched={mine}").status_code == 401
        assert [callers.ask(one).status_code for one in (mine, short)] == [200, 200]
        clock.advance(3600)
        assert [callers.ask(one).status_code for one in (mine, short)] == [200, 401]
        tokens.revoke(desk, "mine")
        assert callers.ask(mine).status_code == 401
        assert callers.token("mine") != mine
        assert callers.ask(mine).status_code == 401, "the name is no token"
