"""Networks as the crash tests see them: where to post, with what login, and what is out.

Each loses a share of its answers, after it has done what was asked. The ledger is the network's
own, read from outside.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.process import free_port


@dataclass(frozen=True)
class Judged:
    """A network under test. `account` are the arguments of `account add`, `secret` the account's
    token; `out` counts how often each text is there."""

    account: tuple[str, ...]
    secret: str
    out: Callable[[], Counter[str]]


@contextmanager
def judged(name: str, folder: Path, lose: float, seed: int) -> Iterator[Judged]:
    """The network of that name, running; `lose` is a percentage."""
    with ExitStack() as stack:
        yield NETWORKS[name](stack, folder, lose, seed)


def _outbox(_stack: ExitStack, folder: Path, _lose: float, _seed: int) -> Judged:
    """It can't lose answers: what is lost there is the process that waits for them."""
    place = folder / "outbox"

    def out() -> Counter[str]:
        bodies = (path.read_text() for path in (place / "posts").glob("*.md"))
        return Counter(body.split("---\n", 2)[2].strip() for body in bodies)

    return Judged(("--platform", "outbox", "--set", f"dir={place}"), "", out)


def _loopback(network: str, stack: ExitStack, lose: float, seed: int) -> tuple[str, Judged]:
    command = [sys.executable, "-m", "postsched.testing.loopback", network]
    url = _spoken(stack, [*command, "--lose", str(lose), "--seed", str(seed)])

    def out() -> Counter[str]:
        return Counter(entry["text"] for entry in _json(url + "/_ledger"))

    return url, Judged(("--platform", network, "--url", url), "", out)


def _mastodon(stack: ExitStack, _folder: Path, lose: float, seed: int) -> Judged:
    from postsched.testing.mastodon import TOKEN

    _, judged = _loopback("mastodon", stack, lose, seed)
    return Judged(judged.account, TOKEN, judged.out)


def _mock(stack: ExitStack, folder: Path, lose: float, seed: int) -> Judged:
    """mastodon-mock, which others wrote, behind a proxy that loses answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mastodon_mock", "serve", "--in-memory"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    log = (folder / "mock.log").open("wb")
    stack.enter_context(log)
    server = subprocess.Popen(command, stdout=log, stderr=log)
    stack.callback(server.wait)
    stack.callback(server.kill)
    _await(url + "/api/v1/instance")
    proxy = _lossy(stack, url, "/api/v1/statuses", lose, seed)

    def out() -> Counter[str]:
        found: list[str] = []
        me = _json(url + "/api/v1/accounts/verify_credentials", "mock_token")["id"]
        page = f"{url}/api/v1/accounts/{me}/statuses?limit=40"
        last = ""
        while statuses := _json(page + last, "mock_token"):
            found += [_plain(status["content"]) for status in statuses]
            last = f"&max_id={statuses[-1]['id']}"
        return Counter(found)

    return Judged(("--platform", "mastodon", "--url", proxy), "mock_token", out)


def _pds(stack: ExitStack, folder: Path, lose: float, seed: int) -> Judged:
    """The reference PDS, behind a proxy that loses answers."""
    from tests.servers.pds import Pds

    (folder / "pds").mkdir()
    pds = stack.enter_context(Pds(folder / "pds"))
    proxy = _lossy(stack, pds.url, "com.atproto.repo.putRecord", lose, seed)

    def out() -> Counter[str]:
        return Counter(_records(pds.url, pds.did))

    account = ("--platform", "bluesky", "--url", proxy, "--user", pds.handle)
    return Judged(account, pds.app_password, out)


def _records(url: str, did: str) -> Iterator[str]:
    page = f"{url}/xrpc/com.atproto.repo.listRecords?repo={did}&collection=app.bsky.feed.post"
    cursor = ""
    while True:
        answer = _json(f"{page}&limit=100{cursor}")
        yield from (record["value"]["text"] for record in answer["records"])
        if "cursor" not in answer or not answer["records"]:
            return
        cursor = f"&cursor={answer['cursor']}"


def _lossy(stack: ExitStack, url: str, path: str, lose: float, seed: int) -> str:
    command = [sys.executable, "-m", "tests.servers.lossy", url, path]
    return _spoken(stack, [*command, "--lose", str(lose), "--seed", str(seed)])


def _spoken(stack: ExitStack, command: list[str]) -> str:
    """Start a process that prints its address; the address."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.kill)
    assert process.stdout is not None
    stack.enter_context(process.stdout)
    return process.stdout.readline().strip()


def _json(url: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return json.load(answer)


def _await(url: str) -> None:
    import time

    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _plain(html: str) -> str:
    import re
    from html import unescape

    return unescape(re.sub(r"<[^>]+>", "", html))


NETWORKS: dict[str, Callable[[ExitStack, Path, float, int], Judged]] = {
    "outbox": _outbox,
    "mastodon": _mastodon,
    "mock": _mock,
    "pds": _pds,
}
