"""The loopback server: what it records, what goes wrong on demand, and as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import ClassVar

import httpx
import pytest

from postsched.testing import Answer, Fault, FaultKind, Loopback, Request, Seen


class Counter(Loopback):
    """A network whose posts are bare numbers."""

    publishing: ClassVar[tuple[str, str]] = ("POST", "/posts")

    def answer(self, request: Request) -> Answer:
        if request.method == "POST":
            self.ledger.append({"n": len(self.ledger) + 1})
        return Answer(200, {"count": len(self.ledger)})

    def posts(self) -> list[Seen]:
        return [Seen(str(entry["n"]), "") for entry in self.ledger]


@pytest.fixture
def server() -> Iterator[Counter]:
    with Counter() as server:
        yield server


@pytest.fixture
def http(server: Counter) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=5, trust_env=False) as http:
        yield http


def test_requests_are_recorded_with_their_time(server: Counter, http: httpx.Client) -> None:
    before = time.time_ns()
    http.post("/posts?a=1", json={"b": 2})
    after = time.time_ns()
    (request,) = server.requests
    assert (request.method, request.path, dict(request.query)) == ("POST", "/posts", {"a": "1"})
    assert request.json == {"b": 2}
    assert before <= request.at <= after


def test_a_connection_is_kept(server: Counter, http: httpx.Client) -> None:
    answers = [http.post("/posts") for _ in range(3)]
    ports = {
        answer.extensions["network_stream"].get_extra_info("client_addr") for answer in answers
    }
    assert len(ports) == 1


BROKEN = [FaultKind.RESET, FaultKind.RESET_AFTER, FaultKind.TRUNCATED]
SILENT = [FaultKind.HANG, FaultKind.HANG_AFTER]


@pytest.mark.parametrize("kind", [*BROKEN, *SILENT])
def test_an_answer_is_lost(server: Counter, http: httpx.Client, kind: FaultKind) -> None:
    fault = Fault(kind)
    server.program(fault, "POST", "/posts")
    error: type[Exception] = httpx.ReadTimeout if kind in SILENT else httpx.TransportError
    with pytest.raises(error) as caught:
        http.post("/posts", timeout=0.1 if kind in SILENT else 5)
    server.wait_for(1)
    assert isinstance(caught.value, httpx.TimeoutException) is (kind in SILENT)
    assert len(server.posts()) == int(fault.committed)
    assert http.post("/posts").json() == {"count": 1 + fault.committed}, "it happens once"


@pytest.mark.parametrize(
    ("kind", "status", "committed"),
    [
        (FaultKind.ANSWER, 503, False),
        (FaultKind.ANSWER_AFTER, 503, True),
        (FaultKind.NOT_JSON, 200, True),
        (FaultKind.DELAY, 200, True),
    ],
)
def test_another_answer_comes(
    server: Counter, http: httpx.Client, kind: FaultKind, status: int, committed: bool
) -> None:
    server.program(Fault(kind, Answer(503, {}, {"Retry-After": "7"}), seconds=0.2), "POST")
    started = time.monotonic()
    answer = http.post("/posts")
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) is (status == 503)
    assert ("html" in answer.headers["content-type"]) is (kind is FaultKind.NOT_JSON)
    assert (time.monotonic() - started >= 0.2) is (kind is FaultKind.DELAY)
    assert len(server.posts()) == int(committed)


def test_a_fault_is_for_what_it_names(server: Counter, http: httpx.Client) -> None:
    server.program(Fault(FaultKind.ANSWER), "POST", "/posts", count=2)
    statuses = [http.request(*what).status_code for what in
                [("GET", "/posts"), ("POST", "/other"), ("POST", "/posts"), ("POST", "/posts"),
                 ("POST", "/posts")]]  # fmt: skip
    assert statuses == [200, 200, 503, 503, 200]


def test_a_fault_may_last(server: Counter, http: httpx.Client) -> None:
    server.program(Fault(FaultKind.ANSWER), count=None)
    assert {http.get("/").status_code for _ in range(5)} == {503}
    server.faults.clear()
    assert http.get("/").status_code == 200


def test_answers_are_lost_by_chance_and_by_seed() -> None:
    assert lost_of(30, 0.3, seed=7) == lost_of(30, 0.3, seed=7) != lost_of(30, 0.3, seed=8)
    assert lost_of(10, 0.0, seed=7) == [False] * 10
    assert lost_of(10, 1.0, seed=7) == [True] * 10


def lost_of(posts: int, share: float, seed: int) -> list[bool]:
    """Which of so many answers are lost; every post is out all the same."""
    lost = []
    with Counter() as server, httpx.Client(base_url=server.url, trust_env=False) as http:
        server.lose_answers(share, seed)
        for _ in range(posts):
            try:
                http.post("/posts")
                lost.append(False)
            except httpx.TransportError:
                lost.append(True)
        assert len(server.posts()) == posts
        assert http.get("/posts").status_code == 200, "only what publishes loses its answer"
    return lost


def test_after_closing_nobody_answers(server: Counter, http: httpx.Client) -> None:
    http.get("/")
    server.close()
    server.close()
    with pytest.raises(httpx.TransportError):
        http.get("/")
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


@pytest.fixture
def process() -> Iterator[str]:
    """A Mastodon in a process of its own, which loses every answer but where told otherwise."""
    command = [sys.executable, "-m", "postsched.testing.loopback", "mastodon", "--port", "0"]
    with subprocess.Popen(
        [*command, "--lose", "100", "--seed", "1", "--set", "flavour=gotosocial", "--until-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline().startswith("It takes the secret tok-2b7e15")
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait(10) == 0


def test_it_runs_as_a_process(process: str) -> None:
    with httpx.Client(base_url=process, timeout=5, trust_env=False) as http:
        assert "git-" in http.get("/api/v2/instance").json()["version"]
        headers = {"Authorization": "Bearer tok-2b7e151628aed2a6abf7158809cf4f3c"}
        with pytest.raises(httpx.TransportError):
            http.post("/api/v1/statuses", json={"status": "Hello"}, headers=headers)
        (entry,) = http.get("/_ledger").json()
        assert entry["text"] == "Hello"
        fault = {"kind": "answer", "status": 418, "method": "POST", "path": "/api/.*", "count": 1}
        assert http.post("/_faults", json=fault).status_code == 200
        answer = http.post("/api/v1/statuses", json={"status": "No"}, headers=headers)
        assert answer.status_code == 418
        seen = http.get("/_requests").json()
        assert [one["path"] for one in seen] == [
            "/api/v2/instance", "/api/v1/statuses", "/api/v1/statuses"
        ]  # fmt: skip
        assert len(http.get("/_ledger").json()) == 1
