"""All that the OpenAPI document allows, and what it does not, asked by schemathesis: nothing fails,
and every answer is one that is described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")
pytest.importorskip("schemathesis", reason="the extra test is not installed")

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.service.desk import claim, publish
from tests.web.asking import SHOWN, Api, api_at

FEW, MANY = 1, 60
"""Examples of each operation."""
MAIN = ("/api/v1/schedule", "/api/v1/health", "/api/v1/posts")
"""Where the paths begin that are asked in any case."""
SENSELESS = ["2xx", "401", "403", "404", "409", "412", "413", "422", "428"]
"""What fits the schema may be refused all the same: "fri 25:00" is a text, and no time."""
PLACES = {"post_id": 1, "delivery_id": 1, "name": "me", "when": "in 1 hour"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """An API with a post of each kind, and something of everything else."""
    with api_at(tmp_path, host="0.0.0.0") as made:
        made("PUT", "/groups/team", json={"accounts": ["me", "work"]})
        made("POST", "/slots", json={"name": "me", "days": "daily", "times": ["09:00", "17:00"]})
        made.add("Out", "in 1 minute", link="https://example.org", warning="Sun", lang="en")
        made.clock.advance(60)
        for delivery in claim(made.desk):
            publish(made.desk, delivery)
        made.add("Thread\n---\nof two", then=["Three"], comment="First", to="team")
        made("POST", "/posts", json={"texts": ["One", "Two {{n}}"], "to": "me", "at": "09:00",
                                     "repeat": "weekly", "every": 2, "vars": {"a": 1}})  # fmt: skip
        made.add("Proposed", draft=True)
        for text in ("Queued", "Behind it"):
            made("POST", "/posts", json={"text": text, "to": "me", "slot": True})
        assert len(made("GET", "/posts").json()["items"]) == 6
        yield made


def ask(api: Api, examples: int, within: tuple[str, ...] = ("/",)) -> int:
    """Ask everything below those paths, with so many examples of each operation; how many requests
    that were."""
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", api.app)
    schema.config.checks.positive_data_acceptance.expected_statuses = SENSELESS
    asked = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # it raises what is wrong
        if not operation.path.startswith(within):
            continue

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), there=st.booleans())
        def check(case: Any, there: bool) -> None:
            nonlocal asked
            asked += 1
            if there and case.meta.generation.mode.is_positive:  # else hardly any id is there
                case.path_parameters |= {
                    name: PLACES[name] for name in case.path_parameters if name in PLACES
                }
            case.call_and_validate(headers=SHOWN)

        check()
    return asked


def test_nothing_it_allows_fails(api: Api) -> None:
    assert ask(api, FEW, MAIN) >= 13


@pytest.mark.slow
def test_nothing_it_allows_fails_however_long_it_is_asked(api: Api) -> None:
    assert ask(api, MANY) > 2000


NO_WRITES = ("/preview", "/check", "/media", "/webhooks/test")


def test_every_path_says_what_it_may_answer(api: Api) -> None:
    document = api.app.openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            assert {"422", "503"} <= set(answers), (method, path)
            assert operation["description"], (method, path)
            writes = method != "get" and path.removeprefix("/api/v1") not in NO_WRITES
            named = [one["name"] for one in operation.get("parameters", ())]
            assert ("Idempotency-Key" in named) == writes, (method, path)
            if writes:
                assert {"408", "413"} <= set(answers), (method, path)
            for status, answer in answers.items():
                assert answer["description"], (method, path, status)
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"]
