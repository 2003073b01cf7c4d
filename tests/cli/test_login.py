"""account login against a Mastodon on loopback: in a browser, by paste, and where neither works."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from postsched.testing import Answer as HttpAnswer
from postsched.testing import Fault, FaultKind, MastodonServer
from postsched.testing.mastodon import TOKEN
from postsched.testing.mastodon_oauth import OOB, SCOPES
from tests.cli.calling import Answer, Caller
from tests.cli.logins import Door
from tests.cli.terminal import OnTerminal
from tests.servers.visitor import visit

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    """A Mastodon with one account."""
    with MastodonServer() as running:
        yield running


@pytest.fixture
def door(call: Caller, server: MastodonServer, tmp_path: Path) -> Door:
    """A person with the account `me` at that server, not logged in."""
    door = Door(call, tmp_path)
    added = call("account", "add", "me", "--platform", "mastodon", "--url", server.url)
    assert added.code == 0
    assert "me has no secret yet" in added.err
    return door


def shown_code(url: str) -> str:
    """The code that a consent page shows."""
    _, page = visit(url)
    return page.split('value="')[1].split('"')[0]


def state(call: Caller) -> str:
    """The state of the account."""
    return str(call("account", "show", "me", "--json").json["state"])


def everything(door: Door, call: Caller, answer: Answer) -> str:
    """All that was said, and all that the database holds."""
    with closing(sqlite3.connect(call.database)) as connection:
        rows = "\n".join(connection.iterdump())
    return answer.out + answer.err + rows


# In the browser


def test_in_the_browser(door: Door, server: MastodonServer, call: Caller) -> None:
    answer = door.browse("me")
    assert (answer.code, answer.out) == (0, "me (mastodon, as @me@example.social) is logged in\n")
    assert "You are logged in" in door.page.read_text()
    assert "return to the terminal" in door.page.read_text()
    (app,) = server.desk.apps.values()
    assert app.redirect == f"http://127.0.0.1:{door.port}/callback"
    (token,) = server.desk.tokens
    said = everything(door, call, answer) + door.page.read_text()
    for secret in (token, app.secret, "mastodon-code"):
        assert secret not in said
    assert state(call) == "ok"
    assert call("add", "Hello", "--to", "me", "--at", "now").code == 0
    assert door("publish-due").code == 0
    assert [seen.text for seen in server.posts()] == ["Hello"]
    assert server.requests[-1].headers["authorization"] == f"Bearer {token}"


def test_as_json(door: Door) -> None:
    answer = door.paste("me", "--json", answer=shown_code)
    assert answer.code == 0
    assert (answer.json["name"], answer.json["state"]) == ("me", "ok")


@pytest.mark.slow
def test_a_refusal(door: Door, server: MastodonServer) -> None:
    server.desk.refuses = True
    answer = door.browse("me")
    assert answer.code == 1
    assert "postsched: the login was refused: The resource owner" in answer.err.splitlines()[-1]
    assert "The login was refused" in door.page.read_text()
    assert door.kept("me") is None


@pytest.mark.slow
def test_a_code_that_is_not_taken(door: Door, server: MastodonServer) -> None:
    refusal = HttpAnswer(400, {"error": "invalid_grant", "error_description": "expired"})
    server.program(Fault(FaultKind.ANSWER, refusal), "POST", "/oauth/token")
    answer = door.browse("me")
    assert answer.code == 1
    assert answer.err.splitlines()[-1].startswith("postsched: the login of me failed: expired")
    assert "The login did not work" in door.page.read_text()
    assert door.kept("me") is None


def test_an_answer_that_is_lost(door: Door, server: MastodonServer) -> None:
    server.program(Fault(FaultKind.RESET_AFTER), "POST", "/oauth/token")
    answer = door.paste("me", answer=shown_code)
    assert answer.code == 1
    assert "the login of me failed: the connection broke" in answer.err
    assert "Log in again" in answer.err
    assert door.kept("me") is None


def test_a_login_that_does_not_work_leaves_the_old(
    door: Door, server: MastodonServer, call: Caller
) -> None:
    assert door("account", "set", "me", "--token-stdin", stdin=TOKEN).code == 0
    server.desk.grants = "read:statuses"
    answer = door.paste("me", answer=shown_code)
    assert answer.code == 1
    assert "Mastodon refuses the login of me" in answer.err
    assert (state(call), door.kept("me")) == ("ok", TOKEN)


def test_another_person_than_before(door: Door, server: MastodonServer, call: Caller) -> None:
    assert door.paste("me", answer=shown_code).code == 0
    before = door.kept("me")
    eve = {"id": "8", "acct": "eve", "username": "eve", "url": f"{server.url}/@eve"}
    who = HttpAnswer(200, {**eve, "source": {}})
    server.program(Fault(FaultKind.ANSWER, who), "GET", "/api/v1/accounts/verify_credentials")
    answer = door.paste("me", answer=shown_code)
    assert answer.code == 1
    assert "me is @me@example.social, and the login is @eve@example.social's" in answer.err
    assert door.kept("me") == before
    shown = call("account", "show", "me", "--json").json
    assert (shown["state"], shown["user"]) == ("ok", "@me@example.social")
    assert shown["facts"]["id"] == "7"


def test_fewer_scopes_than_asked_for(door: Door, server: MastodonServer) -> None:
    server.desk.grants = SCOPES.replace(" write:media", "")
    answer = door.paste("me", answer=shown_code)
    assert answer.code == 0
    assert "the consent does not include write:media" in answer.err


@pytest.mark.slow
def test_a_port_that_is_taken(door: Door, server: MastodonServer) -> None:
    with socket.create_server(("127.0.0.1", door.port)):
        answer = door.browse("me")
    answer.refused(1, f"port {door.port} of this machine", "callback_port")


# By paste


def test_by_a_code_that_is_shown(door: Door, server: MastodonServer, call: Caller) -> None:
    answer = door.paste("me", answer=shown_code)
    assert answer.code == 0, answer.err
    assert answer.out == "me (mastodon, as @me@example.social) is logged in\n"
    (app,) = server.desk.apps.values()
    assert app.redirect == OOB
    assert state(call) == "ok"


def test_by_the_address(door: Door, server: MastodonServer) -> None:
    def address(url: str) -> str:
        state = parse_qs(urlsplit(url).query)["state"][0]
        return f"https://app.example/back?code={shown_code(url)}&state={state}#_=_"

    assert door.paste("me", answer=address).code == 0


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("https://app.example/back?code=abc&state=wrong", "belongs to another login"),
        ("", "nothing was pasted"),
    ],
)
def test_what_can_not_be(door: Door, pasted: str, words: str) -> None:
    answer = door.paste("me", answer=lambda url: pasted)
    assert answer.code == 2
    assert words in answer.err.splitlines()[-1]
    assert door.kept("me") is None


def test_a_pasted_refusal(door: Door) -> None:
    def refusal(url: str) -> str:
        return f"?error=access_denied&state={parse_qs(urlsplit(url).query)['state'][0]}"

    answer = door.paste("me", answer=refusal)
    assert answer.code == 1
    assert answer.err.splitlines()[-1].startswith("postsched: the login was refused: access_denied")


@pytest.mark.slow
def test_one_may_paste_again_at_a_terminal(
    door: Door, call: Caller, server: MastodonServer
) -> None:
    command = door.command("me", "--no-browser")
    with OnTerminal(command, door.environ, columns=500) as program:
        program.wait_for("Paste it here")
        program.type("two words\n")
        program.wait_for("Try again")
        url = next(line for line in program.lines if line.startswith("http"))
        program.type(shown_code(url) + "\n")
        assert program.end() == 0
    assert door.kept("me")


def test_ctrl_c(door: Door) -> None:
    with OnTerminal(door.command("me", "--no-browser"), door.environ, columns=500) as program:
        program.wait_for("Paste it here")
        program.type("\x03")
        assert program.end() == 130
        assert "Traceback" not in program.text
    assert door.kept("me") is None


def test_ctrl_c_while_the_browser_is_awaited(door: Door) -> None:
    environ = {**door.environ, "BROWSER": "true %s"}
    with OnTerminal(door.command("me"), environ, columns=500) as program:
        program.wait_for("Log in in your browser")
        socket.create_connection(("127.0.0.1", door.port), timeout=10).close()
        program.type("\x03")
        assert program.end() == 130
        assert "Traceback" not in program.text


# What is in the way


def test_no_browser_and_no_terminal(door: Door, server: MastodonServer) -> None:
    door("account", "login", "me").refused(2, "no browser", "--no-browser")
    assert not server.desk.apps


def test_an_account_that_is_not_there(call: Caller) -> None:
    answer = call("account", "login", "you")
    answer.refused(3, "'you'", "Add it first: postsched account add you --platform")
    assert answer.err.count("account add") == 1
    call("account", "add", "your", "--platform", "outbox")
    call("account", "login", "you").refused(3, "Did you mean your? Add it first: postsched")


def test_an_outbox_needs_none(call: Caller) -> None:
    call("account", "add", "blog", "--platform", "outbox")
    call("account", "login", "blog").refused(2, "Outbox needs no login")


def test_the_variable_would_win(door: Door, call: Caller) -> None:
    call.set(POSTSCHED_TOKEN_ME=TOKEN)
    call("account", "login", "me", "--no-browser").refused(4, "POSTSCHED_TOKEN_ME is set")


@pytest.mark.slow
def test_no_keyring(call: Caller, server: MastodonServer) -> None:
    call("account", "add", "me", "--platform", "mastodon", "--url", server.url)
    answer = call.process(
        "account", "login", "me", "--no-browser",
        environ={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
    )  # fmt: skip
    answer.refused(4, "keyring")
    assert not server.desk.apps


@pytest.mark.slow
def test_a_server_that_is_away(door: Door, server: MastodonServer, call: Caller) -> None:
    server.close()
    call("account", "login", "me", "--no-browser").refused(1, "the login of me failed")


@pytest.mark.parametrize("body", [b"<h1>hello</h1>", [], {"client_id": 7}, {"client_id": "x"}])
def test_a_server_that_makes_no_app(
    door: Door, server: MastodonServer, call: Caller, body: Any
) -> None:
    server.program(Fault(FaultKind.ANSWER, HttpAnswer(200, body)), "POST", "/api/v1/apps")
    call("account", "login", "me", "--no-browser").refused(1, "the login of me failed")


# The app


def test_an_app_of_ones_own(door: Door, server: MastodonServer) -> None:
    app = server.desk.register_for(OOB)
    answer = door.paste(
        "me", "--client-id", app.id, "--client-secret-stdin",
        first=f"{app.secret}\n", answer=shown_code,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert list(server.desk.apps) == [app.id]


def test_an_app_that_is_configured(door: Door, server: MastodonServer, call: Caller) -> None:
    app = server.desk.register_for(OOB)
    call.set(
        POSTSCHED_PLATFORMS_MASTODON_CLIENT_ID=app.id,
        POSTSCHED_CLIENT_SECRET_MASTODON=app.secret,
    )
    answer = door.paste("me", answer=shown_code)
    assert answer.code == 0, answer.err
    assert list(server.desk.apps) == [app.id]


def test_a_wrong_client_secret(door: Door, server: MastodonServer) -> None:
    app = server.desk.register_for(OOB)
    answer = door.paste(
        "me", "--client-id", app.id, "--client-secret-stdin",
        first="wrong-secret-0123\n", answer=shown_code,
    )  # fmt: skip
    assert answer.code == 1
    assert "Check the client id" in answer.err
    assert "wrong-secret-0123" not in answer.err


@pytest.mark.parametrize(
    ("options", "stdin", "words"),
    [
        (("--client-secret-stdin",), "secret-1", "Give --client-id too"),
        (("--client-id", " "), "", "is no client id"),
        (("--client-id", "a", "--client-secret-stdin"), "", "the secret is empty"),
        (("--client-id", "a", "--client-secret-stdin"), '{"a": "b"}', "no JSON object"),
    ],
)
def test_an_app_that_can_not_be(
    door: Door, call: Caller, options: tuple[str, ...], stdin: str, words: str
) -> None:
    call("account", "login", "me", "--no-browser", *options, stdin=stdin).refused(2, words)


def test_the_secret_holds_the_app(door: Door, server: MastodonServer) -> None:
    assert door.paste("me", answer=shown_code).code == 0
    kept = json.loads(door.kept("me") or "")
    (app,) = server.desk.apps.values()
    (token,) = server.desk.tokens
    assert kept == {"access_token": token, "client_id": app.id, "client_secret": app.secret}


# Networks without a login in the browser


def test_a_network_that_wants_a_secret(call: Caller, tmp_path: Path) -> None:
    door = Door(call, tmp_path)
    call("account", "add", "sky", "--platform", "bluesky", "--user", "me.test",
         "--url", "http://127.0.0.1:9")  # fmt: skip
    answer = door("account", "login", "sky")
    assert answer.code == 2
    assert "Bluesky wants an app password" in answer.err
    assert "postsched account set sky --token-stdin" in answer.err
    call("account", "login", "sky", "--client-id", "a").refused(2, "has no login by an app")
    with OnTerminal(door.command("sky"), door.environ, columns=200) as program:
        program.wait_for("Secret for sky")
        assert not program.echoes
        program.type("abcd-efgh-ijkl-mnop\n")
        assert program.end() == 0
        assert "abcd-efgh" not in program.sent
    assert "sky could not be checked" in program.text
