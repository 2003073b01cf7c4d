"""The adapter against mastodon-mock, a Mastodon server that others wrote (PyPI, 0.6)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from postsched.domain.outcome import ErrorKind, Failed, LetGo, Lost, Published, Retry
from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.platforms.mastodon import Mastodon
from postsched.testing.sender import Sender, message
from tests.platforms.mastodon.playing import out, picture, play
from tests.servers.process import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("mastodon_mock") is None, reason="mastodon-mock is not installed"),
]
PATIENCE = 30.0
"""Seconds for the server to start."""


class Mock:
    """The server, and what it can be asked besides the API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.login = Login("me", url, Secret("mock_token"))

    def fault(self, effect: Mapping[str, Any], path: str = "/api/v1/statuses") -> None:
        """Let the next POST to the path meet the effect."""
        rule = {"match": {"methods": ["POST"], "path": path}, "effect": effect, "count": 1}
        httpx.post(f"{self.url}/api/v1/_mock/faults", json=rule).raise_for_status()

    def texts(self) -> list[str]:
        """The texts of the account's statuses, newest first."""
        headers = {"Authorization": "Bearer mock_token"}
        with httpx.Client(base_url=self.url, headers=headers) as http:
            me = http.get("/api/v1/accounts/verify_credentials").json()["id"]
            rows = http.get(f"/api/v1/accounts/{me}/statuses", params={"limit": 40}).json()
            return [http.get(f"/api/v1/statuses/{r['id']}/source").json()["text"] for r in rows]


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    folder, port = tmp_path_factory.mktemp("mock"), free_port()
    command = [sys.executable, "-m", "mastodon_mock", "serve", "--in-memory"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, "NO_PROXY": "*", "HOME": str(folder)},
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, process, folder / "log")
        yield Mock(url)
    finally:
        process.kill()
        process.wait(10)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/api/v1/instance", timeout=1)
            return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"mastodon-mock did not start: {log.read_text()[-2000:]}")


def test_it_is_taken_for_a_mastodon(mock: Mock) -> None:
    facts = play(mock.login, lambda s: s.inspect(), inspect=False)
    assert facts["software"] == "mastodon"
    assert facts["max_characters"] == 500


def test_a_post_goes_out_once_for_a_key(mock: Mock) -> None:
    async def scene(sender: Sender) -> tuple[Published, Published]:
        one = message("Once and only once", key="mock once")
        prepared = await sender.prepare(one)
        first = out(await sender.publish(prepared, one.key))
        return first, out(await sender.publish(prepared, one.key))

    first, second = play(mock.login, scene)
    assert first.remote_id == second.remote_id
    assert first.url
    assert mock.texts().count("Once and only once") == 1


class Losing(httpx.AsyncBaseTransport):
    """Sends a request, and loses its answer. (The mock's own faults come before it commits.)"""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncHTTPTransport() as real:
            await (await real.handle_async_request(request)).aread()
        raise httpx.ReadError("the connection broke", request=request)


def test_a_lost_answer_is_settled_by_the_key(mock: Mock) -> None:
    async def scene(sender: Sender) -> None:
        one = message("Lost, then found", key="mock lost")
        prepared = await sender.prepare(one)
        async with httpx.AsyncClient(transport=Losing()) as losing:
            sent = await Sender(Mastodon, sender.login, losing).publish(prepared, one.key)
        assert isinstance(sent, Lost)
        found = await sender.find(prepared, one.key)
        again = out(await sender.publish(prepared, one.key))
        assert isinstance(found, Published)
        assert (found.remote_id, found.url) == (again.remote_id, again.url)

    play(mock.login, scene)
    assert mock.texts().count("Lost, then found") == 1


def test_a_lost_answer_in_time_out_is_settled_too(mock: Mock) -> None:
    """The mock gives a request up when its client does."""

    async def scene(sender: Sender) -> None:
        one = message("Too slow", key="mock slow")
        prepared = await sender.prepare(one)
        mock.fault({"type": "latency", "delay_ms": 400})
        assert isinstance(await sender.publish(prepared, one.key, 0.2), Lost)
        out(await sender.publish(prepared, one.key))

    play(mock.login, scene)
    assert mock.texts().count("Too slow") == 1


def test_a_lost_answer_to_what_is_not_there(mock: Mock) -> None:
    """The mock answers nonsense and has done nothing."""

    async def scene(sender: Sender) -> None:
        one = message("Never arrived", key="mock nonsense")
        prepared = await sender.prepare(one)
        mock.fault({"type": "malformed"})
        assert isinstance(await sender.publish(prepared, one.key), Lost)
        assert await sender.find(prepared, one.key) is None
        out(await sender.publish(prepared, one.key))

    play(mock.login, scene)
    assert mock.texts().count("Never arrived") == 1


def test_refusals_have_their_kinds(mock: Mock) -> None:
    async def scene(sender: Sender) -> None:
        mock.fault({"type": "ratelimit"})
        limited = await sender.send(message("Too fast", key="mock 429"))
        assert isinstance(limited, Retry)
        assert limited.problem.kind is ErrorKind.RATE_LIMIT
        assert limited.after == 300
        mock.fault({"type": "status", "status": 503})
        assert isinstance(await sender.send(message("Down", key="mock 503")), Lost)
        long = await sender.send(message("x" * 501, key="mock long"))
        assert isinstance(long, Failed)
        assert long.problem.kind is ErrorKind.INVALID
        out(await sender.send(message("x" * 500, key="mock just right")))

    play(mock.login, scene)
    wrong = replace(mock.login, secret=Secret("wrong"))
    refused = play(wrong, lambda s: s.send(message("Who?", key="mock 401")), inspect=False)
    assert isinstance(refused, LetGo)


def test_media_and_thread_and_delete(mock: Mock, tmp_path: Path) -> None:
    async def scene(sender: Sender) -> None:
        parts = (
            message("One", key="mock 1", attachments=(picture(tmp_path, "a blue square"),)),
            message("Two", key="mock 2", n=2),
        )
        first, second = await sender.thread(*parts)
        shown = [await status(sender, one) for one in (first, second)]
        assert shown[0]["media_attachments"][0]["description"] == "a blue square"
        assert shown[1]["in_reply_to_id"] == first.remote_id
        for one in (second, first, first):
            await sender.platform.delete(one, sender.login, sender.http)
        assert (await status(sender, first)).get("error")

    play(mock.login, scene)


async def status(sender: Sender, published: Published) -> dict[str, Any]:
    """The status as the server shows it."""
    url = f"{sender.login.url}/api/v1/statuses/{published.remote_id}"
    response = await sender.http.get(url, headers={"Authorization": "Bearer mock_token"})
    document: dict[str, Any] = response.json()
    return document
