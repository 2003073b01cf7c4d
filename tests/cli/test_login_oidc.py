"""account login against a real authorization server: over plain HTTP, with Chromium, by paste."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from postsched import platforms
from tests.cli.calling import ROOT, Caller
from tests.cli.logins import Door
from tests.servers import oidc
from tests.servers.oidc_platform import plugged_in
from tests.servers.visitor import CHROMIUM, visit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(oidc.missing() is not None, reason=str(oidc.missing())),
]


BACK = "/callback?"
"""Where a login comes back to, and a person who pastes copies the address."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[oidc.OidcServer]:
    with oidc.OidcServer(tmp_path_factory.mktemp("oidc")) as running:
        yield running


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plug-in is there, in this process too."""
    plugged_in(tmp_path)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        forget()
        yield
    forget()


def forget() -> None:
    """Have the installed platforms looked up again."""
    platforms._entries.cache_clear()
    platforms.get.cache_clear()


@pytest.fixture
def door(call: Caller, server: oidc.OidcServer, tmp_path: Path, plugged: None) -> Door:
    """A person with the account `me` at that server."""
    door = Door(call, tmp_path, PYTHONPATH=f"{ROOT}:{tmp_path}")
    assert door("account", "add", "me", "--platform", "oidc", "--url", server.url).code == 0
    return door


def pair(door: Door) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(door.kept("me") or "{}")
    return kept


def refreshed(server: oidc.OidcServer, token: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "native"}
    return httpx.post(f"{server.url}/token", data=form, trust_env=False)


def test_in_the_browser(door: Door) -> None:
    answer = door.browse("me", "--client-id", "native")
    assert (answer.code, answer.out) == (0, "me (oidc, as alice) is logged in\n"), answer.err
    assert "You are logged in" in door.page.read_text()
    kept = pair(door)
    assert set(kept) == {"access_token", "refresh_token", "expires_at", "client_id"}
    left = datetime.fromisoformat(kept["expires_at"]) - datetime.now(UTC)
    assert 3400 < left.total_seconds() < 3601
    said = answer.out + answer.err + door.page.read_text()
    assert kept["access_token"] not in said
    assert kept["refresh_token"] not in said


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}: apt-get install chromium")
@pytest.mark.skipif(find_spec("playwright") is None, reason="no playwright: pip install playwright")
class TestChromium:
    """The same with a browser as people have it, which asks for a favicon and connects ahead."""

    def test_consent(self, door: Door) -> None:
        answer = door.browse("me", "--client-id", "native", visitor="--chromium")
        assert (answer.code, answer.out) == (0, "me (oidc, as alice) is logged in\n"), answer.err
        assert "return to the terminal" in door.page.read_text()

    def test_cancel(self, door: Door) -> None:
        answer = door.browse("me", "--client-id", "native", visitor="--chromium --cancel")
        assert answer.code == 1
        assert "postsched: the login was refused" in answer.err
        assert "The login was refused" in door.page.read_text()
        assert door.kept("me") is None


def test_cancel(door: Door) -> None:
    answer = door.browse("me", "--client-id", "native", visitor="--cancel")
    assert answer.code == 1
    assert answer.err.splitlines()[-1].startswith("postsched: the login was refused: ")
    assert door.kept("me") is None


def test_by_paste(door: Door) -> None:
    def address(url: str) -> str:
        return visit(url, until=BACK)[0]

    answer = door.paste("me", "--client-id", "native", answer=address)
    assert (answer.code, answer.out) == (0, "me (oidc, as alice) is logged in\n"), answer.err


def test_a_code_a_second_time(door: Door, server: oidc.OidcServer) -> None:
    pasted: list[str] = []

    def address(url: str) -> str:
        pasted.append(visit(url, until=BACK)[0])
        return pasted[-1]

    def old_code(url: str) -> str:
        return httpx.URL(pasted[-1]).params["code"]

    assert door.paste("me", "--client-id", "native", answer=address).code == 0
    before = door.kept("me")
    answer = door.paste("me", "--client-id", "native", answer=lambda url: pasted[-1])
    assert answer.code == 2
    assert "belongs to another login" in answer.err
    answer = door.paste("me", "--client-id", "native", answer=old_code)
    assert answer.code == 1
    assert "the login of me failed" in answer.err
    assert door.kept("me") == before


def test_the_verifier_is_looked_at(door: Door, server: oidc.OidcServer) -> None:
    """The server refuses a wrong verifier, so that ours was right in every other test."""

    def trade(url: str) -> str:
        code = httpx.URL(visit(url, until=BACK)[0]).params["code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": "native",
                "redirect_uri": f"http://127.0.0.1:{door.port}/callback",
                "code_verifier": "w" * 64}  # fmt: skip
        response = httpx.post(f"{server.url}/token", data=form, trust_env=False)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
        return code

    assert door.paste("me", "--client-id", "native", answer=trade).code == 0


@pytest.mark.parametrize("app", ["basic", "post"])
def test_an_app_with_a_secret(door: Door, app: str) -> None:
    assert door("account", "set", "me", f"app={app}").code == 0

    def address(url: str) -> str:
        return visit(url, until=BACK)[0]

    options = ("me", "--client-id", app, "--client-secret-stdin")
    answer = door.paste(*options, first=f"{oidc.CLIENT_SECRET}\n", answer=address)
    assert answer.code == 0, answer.err
    assert pair(door)["client_secret"] == oidc.CLIENT_SECRET
    expire(door)
    assert door("account", "check", "me").code == 0
    answer = door.paste(*options, first="wrong-secret-77\n", answer=address)
    assert answer.code == 1
    assert "Check the client id" in answer.err
    assert door("account", "check", "me").code == 0


def expire(door: Door) -> None:
    """Let the access token look as if it had ended."""
    secret = {**pair(door), "expires_at": "2026-01-01T00:00:00Z"}
    answer = door("account", "set", "me", "--token-stdin", stdin=json.dumps(secret))
    assert answer.code == 0, answer.err


def test_renewals_rotate(door: Door, server: oidc.OidcServer) -> None:
    assert door.browse("me", "--client-id", "native").code == 0
    seen = [pair(door)["refresh_token"]]
    for _ in range(2):
        expire(door)  # checks too, and so renews
        seen.append(pair(door)["refresh_token"])
    assert len(set(seen)) == 3
    assert door("account", "check", "me").code == 0
    assert "expires_at" in pair(door)
    # A refresh token that is used again ends the whole login: the account is held, and says how
    # it is mended.
    assert refreshed(server, seen[0]).json()["error"] == "invalid_grant"
    secret = {**pair(door), "access_token": "gone", "expires_at": "2026-01-01T00:00:00Z"}
    answer = door("account", "set", "me", "--token-stdin", stdin=json.dumps(secret))
    assert answer.code == 1
    assert "Oidc refuses the login of me" in answer.err
    assert door.browse("me", "--client-id", "native").code == 0


def test_a_consent_without_what_is_needed(door: Door) -> None:
    assert door("account", "set", "me", "scopes=openid offline_access").code == 0
    answer = door.browse("me", "--client-id", "native")
    assert answer.code == 1
    assert "the consent does not include post:write" in answer.err
    assert door.kept("me") is None
    assert "The login did not work" in door.page.read_text()


def test_an_app_that_is_not_known(door: Door) -> None:
    door("account", "login", "me", "--no-browser").refused(2, "--client-id", "The test knows one")
