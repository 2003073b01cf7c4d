"""What a platform that talks HTTP must do when answers go wrong: the rest of the contract.

Refusals get their kinds, rate limits are honoured, and a lost answer is never taken for a failure
or for leave to send again. The network under test needs a loopback server (`Network.server`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry, Sent
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, PlatformError, Unknown
from postsched.testing.client import PATIENCE, client
from postsched.testing.contract import PlatformContract
from postsched.testing.exposure import logged, secrets_of
from postsched.testing.faults import Fault, FaultKind
from postsched.testing.loopback import Loopback
from postsched.testing.network import Network
from postsched.testing.sender import Sender
from postsched.testing.wire import Answer

IMPATIENCE = 0.15
"""Seconds the publishing request may take where the server is to hang."""
LOST = {
    "reset after the commit": Fault(FaultKind.RESET_AFTER),
    "reset before it": Fault(FaultKind.RESET),
    "timeout after the commit": Fault(FaultKind.HANG_AFTER),
    "timeout before it": Fault(FaultKind.HANG),
    "half an answer": Fault(FaultKind.TRUNCATED),
    "a proxy's page with 200": Fault(FaultKind.NOT_JSON),
    "an empty answer": Fault(FaultKind.ANSWER_AFTER, Answer(200, b"")),
    "JSON that says nothing": Fault(FaultKind.ANSWER_AFTER, Answer(200, [])),
    "JSON without an id": Fault(FaultKind.ANSWER_AFTER, Answer(200, {"ok": None})),
    "500 after the commit": Fault(FaultKind.ANSWER_AFTER, Answer(500, {"error": "Oops"})),
    "a proxy's 502 after the commit": Fault(FaultKind.ANSWER_AFTER, Answer(502, b"<html>Bad")),
    "a proxy's 504 before it": Fault(FaultKind.ANSWER, Answer(504, b"<html>Gateway Time-out")),
    "503 before it": Fault(FaultKind.ANSWER, Answer(503, {"error": "Overloaded"})),
}
"""The ways in which an answer gets lost: the post may be out or not, and nobody can know."""


class HttpPlatformContract(PlatformContract):
    """What holds for a platform that talks HTTP: `network.server` makes the answers go wrong."""

    unauthorized: ClassVar[Answer] = Answer(401, {"error": "The access token is invalid"})
    """How the network refuses a secret."""
    rate_limited: ClassVar[Answer] = Answer(429, {"error": "Too many"}, {"Retry-After": "7"})
    """How it says that there were too many requests: for 7 seconds."""
    refused: ClassVar[Answer] = Answer(422, {"error": "Validation failed: no"})
    """How it refuses a post for good."""
    refused_kinds: ClassVar[frozenset[ErrorKind]] = frozenset(
        {ErrorKind.INVALID, ErrorKind.PERMANENT}
    )

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test that names a `lost` for each way in which an answer gets lost."""
        if "lost" in metafunc.fixturenames:
            metafunc.parametrize("lost", LOST.values(), ids=LOST.keys())

    def server(self, network: Network) -> Loopback:
        """The server behind the network."""
        assert network.server is not None, "an HttpPlatformContract needs a server"
        return network.server

    def send_into(self, network: Network, fault: Fault | Answer) -> Sent:
        """Send a post whose publishing request meets the fault, or gets that answer."""
        if isinstance(fault, Answer):
            fault = Fault(FaultKind.ANSWER, fault)
        self.server(network).program_publishing(fault)
        one, patience = self.message("Into it"), patience_for(fault)
        sent = self.play(network, lambda s: s.send(one, patience=patience))
        self.server(network).wait_for(1)
        return sent

    # A lost answer

    def test_a_lost_answer_is_no_failure_and_no_retry(self, network: Network, lost: Fault) -> None:
        sent = self.send_into(network, lost)
        assert isinstance(sent, Lost), sent
        assert len(network.posts()) == int(lost.committed)

    def test_a_lost_answer_can_be_settled(self, network: Network, lost: Fault) -> None:
        """Looked up where that can be done; then sent again where the network remembers keys."""
        guarantee = self.capabilities(network).guarantee
        self.needs(guarantee.settles, "can't be asked")

        async def scene(sender: Sender) -> None:
            one = self.message("In doubt")
            prepared = await sender.prepare(one)
            self.server(network).program_publishing(lost)
            lost_one = await sender.publish(prepared, one.key, patience_for(lost))
            assert isinstance(lost_one, Lost), lost_one
            self.server(network).wait_for(1)
            out = [post.remote_id for post in network.posts()]
            if guarantee.can_look_up:
                found = await sender.find(prepared, one.key)
                assert ([found.remote_id] if isinstance(found, Published) else []) == out
                assert not isinstance(found, Unknown), found
            if guarantee.deduplicates or not out:
                again = self.published(await sender.publish(prepared, one.key))
                assert [again.remote_id] == [post.remote_id for post in network.posts()]

        self.play(network, scene)

    def test_each_try_sends_the_same(self, network: Network) -> None:
        async def scene(sender: Sender) -> None:
            one = self.message("Byte by byte")
            prepared = await sender.prepare(one)
            self.server(network).program_publishing(Fault(FaultKind.RESET))
            await sender.publish(prepared, one.key)
            await sender.publish(prepared, one.key)

        self.play(network, scene)
        first, second = self.server(network).published_requests()
        assert (first.path, first.query, first.body) == (second.path, second.query, second.body)
        names = ("content-type", "idempotency-key")
        assert [first.headers.get(n) for n in names] == [second.headers.get(n) for n in names]

    def test_find_does_not_guess_while_the_network_is_silent(self, network: Network) -> None:
        """An answer that can't be used is no "not there": it is raised, or Unknown."""
        self.needs(self.capabilities(network).guarantee.can_look_up, "can't be asked")

        async def scene(sender: Sender) -> None:
            one = self.message("Anyone there?")
            prepared = await sender.prepare(one)
            self.published(await sender.publish(prepared, one.key))
            for fault in (
                Fault(FaultKind.ANSWER, Answer(503, b"<html>")),
                Fault(FaultKind.NOT_JSON),
                Fault(FaultKind.TRUNCATED),
                Fault(FaultKind.RESET),
                Fault(FaultKind.ANSWER, Answer(200, {})),
            ):
                self.server(network).program(fault, count=None)
                assert await answer_of(sender.find(prepared, one.key)) is not None, fault
                self.server(network).faults.clear()

        self.play(network, scene)

    # Refusals

    def test_a_refused_secret_is_auth(self, network: Network) -> None:
        sent = self.send_into(network, self.unauthorized)
        assert isinstance(sent, LetGo), sent
        assert sent.problem is not None
        assert sent.problem.kind is ErrorKind.AUTH
        assert not network.posts()

    def test_a_rate_limit_is_honoured(self, network: Network) -> None:
        sent = self.send_into(network, self.rate_limited)
        assert isinstance(sent, Retry), sent
        assert sent.problem.kind is ErrorKind.RATE_LIMIT
        assert sent.problem.http_status == 429
        assert sent.after == 7.0
        assert not sent.counts

    def test_a_refusal_is_final(self, network: Network) -> None:
        sent = self.send_into(network, self.refused)
        assert isinstance(sent, Failed), sent
        assert sent.problem.kind in self.refused_kinds
        assert sent.problem.http_status == self.refused.status
        assert sent.problem.message

    def test_the_network_refuses_a_longer_text_too(self, network: Network) -> None:
        one = self.message(self.text_of(network, "x", 1))
        sent = self.play(network, lambda s: s.send(one))
        assert isinstance(sent, Failed), sent
        assert sent.problem.kind is ErrorKind.INVALID
        assert not network.posts()

    def test_a_server_error_is_transient(self, network: Network) -> None:
        sent = self.send_into(network, Answer(500, {"error": "Oops"}))
        assert isinstance(sent, Lost), sent
        assert sent.problem.kind is ErrorKind.TRANSIENT
        assert sent.problem.http_status == 500

    def test_a_redirect_is_not_followed(self, network: Network) -> None:
        sent = self.send_into(network, Answer(307, b"", {"Location": "/elsewhere"}))
        assert isinstance(sent, Failed | Lost), sent
        assert not [r for r in self.server(network).requests if r.path == "/elsewhere"]
        assert not network.posts()

    def test_no_connection_is_worth_another_try(self, network: Network) -> None:
        async def scene(sender: Sender) -> Sent:
            one = self.message("Nobody home")
            prepared = await sender.prepare(one)
            self.server(network).close()
            async with client(PATIENCE) as fresh:
                return await Sender(self.platform, sender.login, fresh).publish(prepared, one.key)

        sent = self.play(network, scene)
        assert isinstance(sent, Retry), sent
        assert sent.problem.kind is ErrorKind.TRANSIENT

    @pytest.mark.parametrize(
        ("fault", "outcome"),
        [
            (Fault(FaultKind.RESET), Retry),
            (Fault(FaultKind.ANSWER, Answer(502, b"<html>Bad Gateway")), Retry),
            (Fault(FaultKind.NOT_JSON), Retry),
            (Fault(FaultKind.ANSWER, Answer(429, {}, {"Retry-After": "7"})), Retry),
            (Fault(FaultKind.ANSWER, Answer(401, {"error": "No"})), LetGo),
        ],
        ids=["reset", "502", "a proxy's page with 200", "429", "401"],
    )
    def test_preparing_is_never_in_doubt(
        self, network: Network, fault: Fault, outcome: type[Sent]
    ) -> None:
        """Before the publishing request nothing is out, whatever happens."""
        self.needs(self.capabilities(network).media.count, "takes no media")
        self.needs(self.uploads_ahead, "takes files with the post")

        async def scene(sender: Sender) -> Sent:
            self.server(network).program(fault, "POST", count=None)
            one = self.message("With a picture", attachments=(self.attachment("a square"),))
            return await sender.send(one)

        sent = self.play(network, scene)
        assert isinstance(sent, outcome), sent
        assert not self.server(network).published_requests()

    def test_inspecting_with_a_refused_secret_is_auth(self, network: Network) -> None:
        self.server(network).program(Fault(FaultKind.ANSWER, self.unauthorized), count=None)
        with pytest.raises(PlatformError) as caught:
            self.play(network, lambda s: s.inspect(), inspect=False)
        assert caught.value.problem.kind is ErrorKind.AUTH

    @pytest.mark.parametrize("end", ["\n", "\r\nX-Evil: 1", "ü", " two"])
    def test_a_secret_that_is_none_does_not_show(
        self, network: Network, caplog: pytest.LogCaptureFixture, end: str
    ) -> None:
        """A line break or umlaut in it breaks the request, and the error must not quote it."""
        caplog.set_level(logging.DEBUG)
        login = broken(network.login, end)
        one = self.message("Hello")
        sent = self.play(network, lambda s: s.send(one), login=login, inspect=False)
        assert isinstance(sent, LetGo | Failed), sent
        assert not network.posts()
        for secret in secrets_of(network.login):
            assert secret not in repr(sent)
            assert secret not in logged(caplog)

    def test_the_secret_does_not_show_when_things_go_wrong(
        self, network: Network, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        faults: list[Fault | Answer] = [
            self.unauthorized, self.rate_limited, self.refused, Answer(500, {"error": "Oops"}),
            Fault(FaultKind.RESET_AFTER), Fault(FaultKind.TRUNCATED), Fault(FaultKind.NOT_JSON),
        ]  # fmt: skip
        shown = [repr(self.send_into(network, fault)) for fault in faults]
        for secret in secrets_of(network.login):
            assert secret not in "\n".join(shown)
            assert secret not in logged(caplog)


def broken(login: Login, end: str) -> Login:
    """The login with a secret whose every string has something at its end."""
    assert login.secret is not None
    value = login.secret.reveal()
    if isinstance(value, str):
        return replace(login, secret=Secret(value + end))
    return replace(
        login, secret=Secret({k: v + end if isinstance(v, str) else v for k, v in value.items()})
    )


def patience_for(fault: Fault) -> float | None:
    """How long to wait for an answer that never comes, None for one that does."""
    return IMPATIENCE if fault.kind in (FaultKind.HANG, FaultKind.HANG_AFTER) else None


async def answer_of(asking: Awaitable[Any]) -> Any:
    """What was answered, or the exception that was raised instead."""
    try:
        return await asking
    except Exception as error:  # noqa: BLE001 - whatever is raised, it is no "not there"
        return error
