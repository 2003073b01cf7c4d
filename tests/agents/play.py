"""A client of the official SDK that calls tools, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from mcp.client.client import Client
from mcp_types import CallToolResult, Tool

from postsched.agents.bench import Bench
from postsched.agents.server import server_for


@dataclass(frozen=True)
class Said:
    """What a call came to: a document, or a sentence that says why not."""

    document: Any
    words: str
    wrong: bool
    notes: Sequence[str] = ()


def said(result: CallToolResult) -> Said:
    """A result, read as an agent does."""
    texts = [getattr(block, "text", "") for block in result.content]
    return Said(result.structured_content, texts[0], result.is_error, texts[1:])


def play(bench: Bench, *calls: tuple[str, dict[str, Any]]) -> list[Said]:
    """Call tools of a server in this process."""

    async def run() -> list[Said]:
        async with Client(server_for(bench)) as client:
            return [said(await client.call_tool(name, given)) for name, given in calls]

    return asyncio.run(run())


def one(bench: Bench, name: str, **given: Any) -> Any:
    """The document of a call that is expected to work."""
    (found,) = play(bench, (name, given))
    assert not found.wrong, found.words
    return found.document


def refused(bench: Bench, name: str, **given: Any) -> str:
    """The sentence of a call that is expected not to."""
    (found,) = play(bench, (name, given))
    assert found.wrong, found.document
    assert found.document is None
    assert "\n" not in found.words
    assert "Traceback" not in found.words
    assert len(found.words) < 1000
    return found.words


def listed(bench: Bench) -> dict[str, Tool]:
    """The tools that are offered, by name."""

    async def run() -> dict[str, Tool]:
        async with Client(server_for(bench)) as client:
            return {tool.name: tool for tool in (await client.list_tools()).tools}

    return asyncio.run(run())
