"""Webhooks: signed so that the convention's own library takes them, and judged by the answer."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from postsched.domain.errors import InvalidInput
from postsched.domain.notice import Event, Message, Told
from postsched.domain.secret import Secret
from postsched.notify import heartbeat, webhook
from postsched.testing import Answer, Fault, FaultKind
from postsched.transport import Transport
from tests.servers.receiver import SECRET, Receiver, verified

MESSAGE = Message("msg_1", Event.FAILED, datetime(2026, 11, 27, 12, tzinfo=UTC), "me",
                  ({"id": 7, "account": "me", "text": "Grüße 🎉"},))  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def tell(url: str, *, private: bool = True) -> Told:
    async def once() -> Told:
        transport = Transport(0.5, allow_private=private)
        with transport.client("webhook") as http:
            key = webhook.key_of(Secret(SECRET))
            told = await webhook.tell(url, key, MESSAGE, datetime.now(UTC), http)
        await transport.close()
        return told

    return asyncio.run(once())


def test_the_conventions_own_library_verifies_it(receiver: Receiver) -> None:
    assert tell(f"{receiver.url}/hook") == Told(answer=200)
    (body,) = verified(receiver.requests)
    assert body == {"type": "failed", "timestamp": "2026-11-27T12:00:00Z", "data": MESSAGE.items[0]}
    (request,) = receiver.requests
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["content-type"] == "application/json"
    with pytest.raises(Exception, match="No matching signature"):
        verified(
            receiver.requests, "whsec_" + base64.b64encode(b"another key, of 24 bytes").decode()
        )


def test_the_example_of_the_specification() -> None:
    """Standard Webhooks, section "Verifying signatures", as its libraries test it."""
    key = webhook.key_of(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    now = datetime.fromtimestamp(1614265330, UTC)
    signed = webhook.headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", now, b'{"test": 2432232314}')
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", "g" * 40,
                                    "whsec_" + base64.b64encode(b"x" * 65).decode()])  # fmt: skip
def test_what_is_no_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        webhook.key_of(Secret(secret))
    assert not secret or secret not in str(refused.value).replace("whsec_ and", "")


@pytest.mark.parametrize(
    ("path", "problem", "final"),
    [("answer/204", None, False), ("answer/410", "410", True), ("answer/500", "500", False),
     ("answer/404", "404", False), ("away", "307", False)],
)  # fmt: skip
def test_what_an_answer_means(
    receiver: Receiver, path: str, problem: str | None, final: bool
) -> None:
    told = tell(f"{receiver.url}/{path}")
    assert (told.final, told.problem is None) == (final, problem is None)
    assert problem is None or problem in (told.problem or "")
    assert not receiver.at("/hook"), "a redirect was followed"


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.RESET, FaultKind.TRUNCATED])
def test_a_connection_that_breaks_is_to_be_tried_again(receiver: Receiver, kind: FaultKind) -> None:
    receiver.program(Fault(kind))
    told = tell(f"{receiver.url}/token-in-path" if kind is not FaultKind.TRUNCATED
                else f"{receiver.url}/answer/500")  # fmt: skip
    assert told.problem
    assert not told.final
    assert "token-in-path" not in told.problem


def test_a_receiver_may_ask_for_time(receiver: Receiver) -> None:
    receiver.program(Fault(FaultKind.ANSWER, Answer(503, {}, {"Retry-After": "120"})))
    assert tell(f"{receiver.url}/hook").after == 120.0
    receiver.program(Fault(FaultKind.ANSWER, Answer(503, {}, {"Retry-After": "tomorrow"})))
    assert tell(f"{receiver.url}/hook").after == 0.0


def test_nothing_goes_to_internal_addresses_unless_that_is_allowed(receiver: Receiver) -> None:
    told = tell(f"{receiver.url}/hook", private=False)
    assert "not a public address" in (told.problem or "")
    assert not receiver.requests


def test_a_name_is_looked_up_once_and_all_that_it_stands_for_is_judged(receiver: Receiver) -> None:
    """A name that changes what it stands for between two questions is asked about only once; the
    address that was judged is the one that is connected to (tests/transport/test_addresses.py)."""
    port = receiver.url.rpartition(":")[2]
    rounds = [["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"], ["127.0.0.1"]]
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return rounds[len(asked) - 1]

    async def scene() -> list[Told]:
        transport = Transport(0.5, resolve=resolve)
        key, url = webhook.key_of(Secret(SECRET)), f"http://rebinding.example:{port}/hook"
        with transport.client("webhook") as http:
            found = [await webhook.tell(url, key, MESSAGE, MESSAGE.at, http) for _ in rounds]
        await transport.close()
        return found

    for told in asyncio.run(scene()):
        assert "which is not a public address" in (told.problem or "")
    assert asked == ["rebinding.example"] * len(rounds)
    assert not receiver.requests


def test_a_sign_of_life(receiver: Receiver) -> None:
    async def beat(path: str) -> str | None:
        transport = Transport(0.5, allow_private=True)
        with transport.client("heartbeat") as http:
            said = await heartbeat.beat(f"{receiver.url}/{path}", http)
        await transport.close()
        return said

    assert asyncio.run(beat("uuid-of-mine")) is None
    assert "404" in (asyncio.run(beat("answer/404")) or "")
    receiver.program(Fault(FaultKind.RESET))
    assert "uuid-of-mine" not in (asyncio.run(beat("uuid-of-mine")) or "uuid-of-mine")
