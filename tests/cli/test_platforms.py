"""platforms: what each can do, as data and for the eye, and those that can't be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from postsched import platforms
from tests.cli.calling import Caller

SHAPE = {
    "name", "title", "text_limit", "text_bytes", "counts", "media", "media_types", "alt_text",
    "alt_limit", "thread", "comment", "visibility", "warning", "languages", "link_card", "delete",
    "guarantee", "notes",
}  # fmt: skip


BROKEN = """
from postsched.testing.platform import FakePlatform

class Silent(FakePlatform):
    name = "silent"

    def capabilities(self, facts):
        raise RuntimeError("of no use")

class Mumbling(FakePlatform):
    name = "mumbling"

    async def inspect(self, login, http):
        return {"user": object()}
"""


def by_name(call: Caller) -> dict[str, dict[str, Any]]:
    """The documents."""
    found: list[dict[str, Any]] = call("platforms", "--json").json
    return {one["name"]: one for one in found}


def test_what_each_can_do(call: Caller) -> None:
    found = by_name(call)
    assert sorted(found) == platforms.names()
    assert {"bluesky", "mastodon", "outbox"} <= set(found)
    for name, document in found.items():
        assert set(document) == SHAPE
        assert document["title"] == platforms.get(name).title
    assert (found["bluesky"]["text_limit"], found["bluesky"]["text_bytes"]) == (300, 3000)
    assert found["mastodon"]["visibility"] == ["direct", "followers", "public", "unlisted"]
    assert found["outbox"]["text_limit"] is None
    assert not call.database.exists()


def test_a_line_for_each(call: Caller) -> None:
    lines = call("platforms").out.splitlines()
    assert lines[0].split()[0] == "PLATFORM"
    assert [line.split()[0] for line in lines[1:]] == platforms.names()
    assert "exactly once" in lines[1]


@pytest.mark.slow
def test_a_broken_one_leaves_the_others(call: Caller, tmp_path: Path) -> None:
    plugin = tmp_path / "broken-1.0.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (plugin / "entry_points.txt").write_text(
        "[postsched.platforms]\nbroken = nowhere:Nothing\nodd = json:JSONDecoder\n"
        "silent = broken:Silent\nmumbling = broken:Mumbling\n"
    )
    (tmp_path / "broken.py").write_text(BROKEN)
    path = f"{call.environ()['PYTHONPATH']}:{tmp_path}"
    answer = call.process("platforms", "--json", environ={"PYTHONPATH": path})
    assert answer.code == 0
    found = {one["name"]: one for one in answer.json}
    assert "can't be loaded: No module named 'nowhere'" in found["broken"]["error"]
    assert "is no postsched Platform" in found["odd"]["error"]
    assert set(found["outbox"]) == SHAPE
    assert "fails to say what it can do (RuntimeError)" in found["silent"]["error"]
    assert answer.err.count("warning") == 3
    assert "of no use" not in answer.err
    environ = {"PYTHONPATH": path, "POSTSCHED_TOKEN_ME": "SESAME"}
    added = call.process("account", "add", "you", "--platform", "mumbling", environ=environ)
    assert added.code == 2
    assert "the platform's adapter failed (TypeError)" in added.err
    call.process("account", "add", "me", "--platform", "silent", environ=environ)
    refused = call.process("add", "Hi", "--to", "me", "--at", "now", environ=environ)
    assert refused.code == 1
    assert "'silent' fails to say" in refused.err
    assert "bug" not in refused.err
