"""What errors advise over HTTP: requests and members, and no commands but those of the machine."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from postsched.web.app import create_app
from postsched.web.auth import without_login
from postsched.web.wording import API, COMMANDS, over_http

SAID = {
    "See them with: postsched list --all": "See them with: GET /api/v1/posts",
    "Give it a time: postsched edit 3 --at WHEN": "Give it a time: PATCH /api/v1/posts/3 with at",
    "Look, then: postsched resolve 5 published|absent": "Look, then: POST /api/v1/posts/5/resolve",
    "Send it after all: postsched retry 7.": "Send it after all: POST /api/v1/posts/7/retry.",
    "Hold it: postsched pause --account a.b-c": "Hold it: POST /api/v1/accounts/a.b-c/pause",
    "Give it some: postsched slots add me mon-fri 09:00 17:30": "Give it some: POST /api/v1/slots",
    "Give --at WHEN, --in DURATION or --slot": "Give at WHEN or slot",
    "Name it with --remote-id": "Name it with remote_id",
    "Change --until or --count (--no-until: none), or: postsched edit 3":
        "Change until or count (until: null: none), or: PATCH /api/v1/posts/3",
    "Add it: postsched account add x --platform P (see: postsched platforms)":
        "Add it: postsched account add x --platform P (where postsched runs)"
        " (see: GET /api/v1/platforms)",
    "Read it: postsched show 9 --json": "Read it: postsched show 9 --json (where postsched runs)",
    "pip install 'postsched[web]', a line ---, well--known": None,
    "": None,
}  # fmt: skip


def test_commands_are_requests_and_options_are_members() -> None:
    for told, heard in SAID.items():
        assert over_http(told) == (told if heard is None else heard)


def test_every_request_that_is_advised_is_there() -> None:
    described = create_app(lambda: None, without_login).openapi()["paths"]  # type: ignore[arg-type,return-value]  # nothing is asked
    there = {
        f"{method.upper()} {re.sub(r'{[^}]*}', '0', path)}"
        for path, methods in described.items()
        for method in methods
    }
    for _, words in COMMANDS:
        method, address = words.split()[:2]
        places = {r"\1": "pause" if address.startswith(rf"{API}/\1") else "0", r"\2": "0"}
        if "/\\2/\\1" in address:
            places[r"\1"] = "pause"
        for place, value in places.items():
            address = address.replace(place, value).replace("ID", "0")
        assert f"{method} {address.partition('?')[0]}" in there, words
