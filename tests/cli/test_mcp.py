"""mcp, as programs start it: a process of its own, and the client of the official SDK."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.agents.play import Said, said
from tests.cli.posting import Posting

PATIENCE = 60.0
START = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-06-18", "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"}}}  # fmt: skip
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


@pytest.fixture
def environ(cli: Posting) -> dict[str, str]:
    """The environment of a person with an outbox."""
    return cli.call.environ()


def test_a_client_drives_it_and_a_person_approves(cli: Posting, tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "postsched", "mcp"], env=cli.call.environ()
    )
    draft = {"text": "Grüße 🌍\n---\nzwei", "to": ["me"], "at": "in 2 hours", "key": "one"}
    log = tmp_path / "stderr"

    async def run() -> tuple[list[str], list[Said]]:
        with log.open("w") as errlog:
            async with Client(stdio_client(parameters, errlog), mode="legacy") as client:
                names = [tool.name for tool in (await client.list_tools()).tools]
                calls: list[tuple[str, dict[str, Any]]] = [
                    ("create_draft", draft), ("schedule_post", draft), ("show_post", {"id": 1}),
                ]  # fmt: skip
                return names, [said(await client.call_tool(*one)) for one in calls]

    names, (made, beyond, seen) = asyncio.run(asyncio.wait_for(run(), PATIENCE))
    assert "create_draft" in names
    assert "schedule_post" not in names
    assert (made.document["status"], made.document["text"]) == ("draft", draft["text"])
    assert beyond.wrong
    assert seen.document == cli.json("show", "1")
    assert log.read_text() == ""
    (approved,) = cli.json("approve", "1")
    assert approved["status"] == "scheduled"


def started(environ: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    """A server that has answered once."""
    pipe = subprocess.PIPE
    server = subprocess.Popen(
        [sys.executable, "-m", "postsched", "mcp", *words], env=environ, stdin=pipe, stdout=pipe,
        stderr=pipe,
    )  # fmt: skip
    assert server.stdin
    assert server.stdout
    server.stdin.write(json.dumps(START).encode() + b"\n")
    server.stdin.flush()
    assert json.loads(server.stdout.readline())["result"]["serverInfo"]["name"] == "postsched"
    return server


@pytest.mark.slow
def test_nonsense_and_ends_of_all_kinds(environ: dict[str, str]) -> None:
    with started(environ) as server:
        assert server.stdin
        assert isinstance(server.stdout, io.BufferedReader)
        server.stdin.write(b"nonsense\n\xff\xfe\n[]\n{}\n" + b"[" * 100_000 + b"\n")
        server.stdin.write(json.dumps(LIST).encode() + b"\n")
        server.stdin.flush()
        assert json.loads(server.stdout.readline())["id"] == 2
        out, err = server.communicate(timeout=PATIENCE)
    assert (server.returncode, out, b"Traceback" in err) == (0, b"", False)
    for number in (signal.SIGINT, signal.SIGTERM):
        with started(environ) as server:
            server.send_signal(number)
            assert server.wait(PATIENCE) == -number
            assert server.communicate() == (b"", b"")
    with started(environ) as server:  # the client is gone, and has asked something before
        assert server.stdin
        assert server.stdout
        server.stdout.close()
        server.stdin.write(json.dumps(LIST).encode() + b"\n")
        server.stdin.close()
        assert server.wait(PATIENCE) == 0
        assert server.stderr
        assert server.stderr.read() == b""


def test_it_is_refused_in_one_line(cli: Posting, tmp_path: Path) -> None:
    assert "no scope 'all'" in cli.refused(2, "mcp", "--scope", "all")
    assert "goes with --scope write" in cli.refused(2, "mcp", "--media-dir", str(tmp_path))
    words = ("mcp", "--scope", "write", "--media-dir", str(tmp_path / "none"))
    assert "there is no folder" in cli.refused(2, *words)


@pytest.mark.slow
def test_without_the_extra_it_says_what_to_install(environ: dict[str, str]) -> None:
    script = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'mcp' else find(name, *a)\n"
        "from postsched.__main__ import main; sys.argv[1:] = ['mcp']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True,
        timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "postsched: this needs the extra mcp. Install it: pip install 'postsched[mcp]'\n"
    )
