"""The receiver in examples/: what we sign is taken once; what is replayed, old or forged is not."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import httpx
import pytest

from postsched.domain.notice import Event, Message
from postsched.domain.secret import Secret
from postsched.notify import webhook
from tests.readme import ROOT
from tests.servers.receiver import SECRET

FILE = ROOT / "examples" / "receiver.py"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
MESSAGE = Message("msg_1", Event.PUBLISHED, NOON, "me", ({"id": 7, "text": "Grüße 🎉"},))
OTHER = "whsec_" + "A" * 32


def example() -> ModuleType:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("receiver_example", FILE)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def signed(message: Message, at: datetime = NOON, secret: str = SECRET) -> dict[str, str]:
    """The headers that we send with it."""
    key = webhook.key_of(Secret(secret))
    return dict(webhook.headers(key, message.uid, at, webhook.body(message)))


def test_each_message_is_taken_once_and_none_that_is_replayed_or_forged() -> None:
    receiver = example()
    now = NOON
    inbox = receiver.Inbox(SECRET, lambda: now.timestamp())
    body, good = webhook.body(MESSAGE), signed(MESSAGE)

    def refused(why: str, headers: Mapping[str, str], body: bytes = body) -> None:
        with pytest.raises(receiver.Refused, match=why):
            inbox.take(headers, body)

    another = replace(MESSAGE, uid="msg_2")
    forged: list[dict[str, Any]] = [
        {"webhook-id": "msg_2"}, {"webhook-id": ""}, {"webhook-id": "msg_1.1"},
        {"webhook-timestamp": str(int(NOON.timestamp()) + 1)}, {"webhook-timestamp": "x"},
        {"webhook-signature": ""}, {"webhook-signature": "v1,"}, {"webhook-signature": "v1,é"},
        {"webhook-signature": good["webhook-signature"].replace("v1,", "v1a,")},
        {"webhook-signature": signed(MESSAGE, secret=OTHER)["webhook-signature"]},
        {"webhook-signature": signed(another)["webhook-signature"]},
    ]  # fmt: skip
    for change in forged:
        refused("signature", good | change)
    refused("signature", {})
    refused("signature", good, body + b" ")
    refused("signature", good, body.replace(b"published", b"failed"))
    # One that is moved between the parts of what is signed.
    refused("signature", good | {"webhook-id": "msg_1." + good["webhook-timestamp"]}, body)
    for apart in (timedelta(minutes=6), timedelta(minutes=-6)):
        refused("too old", signed(MESSAGE, NOON - apart))

    assert inbox.take(good, body)["data"] == MESSAGE.items[0]
    assert inbox.take(good, body) is None, "the same bytes again"
    now += timedelta(minutes=4)
    assert inbox.take(signed(MESSAGE, now), body) is None, "tried again: the same id"
    two = signed(another, now, OTHER)["webhook-signature"]
    several = signed(another, now)
    several["webhook-signature"] = f"v2,x {two} {several['webhook-signature']}"
    assert inbox.take(several, webhook.body(another))["type"] == "published"
    now += timedelta(minutes=2)
    refused("too old", good)


@pytest.mark.slow
def test_it_runs_as_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = {**os.environ, "POSTSCHED_WEBHOOK_SECRET": SECRET}
    process = subprocess.Popen(
        [sys.executable, str(FILE), str(port)], env=environ, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        try:
            headers = signed(MESSAGE, datetime.now(UTC))
            answers = [_posted(client, headers) for _ in range(2)]
            answers.append(_posted(client, signed(MESSAGE)))
            answers.append(_posted(client, {}))
        finally:
            process.kill()
        assert answers == [204, 204, 401, 401]
        assert process.stdout is not None
        assert process.stdout.read().count("published") == 1


def _posted(client: httpx.Client, headers: Mapping[str, str]) -> int:
    end = time.monotonic() + 20
    while True:
        try:
            return client.post("/", content=webhook.body(MESSAGE), headers=headers).status_code
        except httpx.ConnectError:
            assert time.monotonic() < end
            time.sleep(0.02)
