"""What Prometheus gets: what really went out, how things stand, and who may ask."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

for library in ("fastapi", "prometheus_client"):
    pytest.importorskip(library, reason="the extra web is not installed")

from fastapi.testclient import TestClient  # noqa: E402
from prometheus_client.openmetrics import parser as openmetrics  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families as parse  # noqa: E402

from postsched import __version__  # noqa: E402
from postsched.config import Settings  # noqa: E402
from postsched.domain.account import Account, AccountState  # noqa: E402
from postsched.domain.draft import Draft  # noqa: E402
from postsched.domain.errors import StoreUnavailable  # noqa: E402
from postsched.domain.holding import Hold, Why  # noqa: E402
from postsched.domain.scope import Scope  # noqa: E402
from postsched.domain.serving import Web  # noqa: E402
from postsched.engine.assembly import Engine, assemble  # noqa: E402
from postsched.engine.clock import SystemClock  # noqa: E402
from postsched.secrets import Secrets  # noqa: E402
from postsched.service import posts  # noqa: E402
from postsched.service.desk import Desk  # noqa: E402
from postsched.service.state import State, read_state  # noqa: E402
from postsched.store import accounts, holds  # noqa: E402
from postsched.store.opening import open_database  # noqa: E402
from postsched.web import auth  # noqa: E402
from postsched.web.app import create_app  # noqa: E402
from postsched.web.auth import Authenticate, Principal  # noqa: E402
from postsched.web.gauges import StateCollector  # noqa: E402
from postsched.web.metrics import Metrics  # noqa: E402
from postsched.web.readiness import Readiness, engine_problem  # noqa: E402
from tests import readme  # noqa: E402
from tests.servers import postgres  # noqa: E402

FAILED = {"outcome": "failed", "kind": "transient"}
parse_modern: Any = openmetrics.text_string_to_metric_families  # it has no types
Found = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with an account that works, and one whose folder can't be written."""
    place = postgres.place(tmp_path / "posts.db")
    settings = Settings(place, media_dir=tmp_path / "media", state_dir=tmp_path / "state")
    database = open_database(place)
    (tmp_path / "me").mkdir()
    (tmp_path / "blocked").write_text("a file, no folder")
    soon = datetime.now(UTC) + timedelta(hours=1)
    with database.write() as connection:
        for name, expires in (("me", soon), ("blocked", None)):
            folder = {"dir": str(tmp_path / name)}
            made = Account(0, secrets.token_hex(16), name, "outbox", datetime.now(UTC))
            made = replace(made, settings=folder, state=AccountState.OK, token_expires_at=expires)
            accounts.insert(connection, made)
    yield Desk(database, settings, lambda: datetime.now(UTC), ZoneInfo("UTC"))
    database.close()


def engine_of(desk: Desk) -> Engine:
    """An engine over the same database."""
    settings = replace(desk.settings, attempts=1)
    database = open_database(settings.database)
    return assemble(database, settings, Secrets({}), SystemClock(), Random(1), "run")


async def drain(engine: Engine) -> None:
    """Send what is due, and end."""
    await engine.dispatcher.drain()
    await engine.stop()
    await engine.close()
    engine.database.close()


def found_in(metrics: Metrics) -> Found:
    """Every sample, by name and labels."""
    body, _ = metrics.exposition()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(body.decode())
        for sample in family.samples
    }


def value(found: Found, name: str, **labels: str) -> float | None:
    """One sample."""
    return found.get((name, tuple(sorted(labels.items()))))


def test_it_tells_what_went_out_and_how_things_stand(desk: Desk) -> None:
    told: list[str] = []
    metrics = Metrics(lambda: read_state(desk))
    for text, to in (("One", "me"), ("Two", "me"), ("Three", "blocked")):
        posts.add(desk, Draft(text, (to,), at="now"))
    posts.add(desk, Draft("Later", ("me",), at="in 2 hours"))
    engine = engine_of(desk)
    engine.dispatcher.on_event = metrics.beside(lambda word, work: told.append(word))
    asyncio.run(drain(engine))
    with desk.database.write() as connection:
        hold = Hold(datetime.now(UTC) + timedelta(minutes=5), Why.BREAKER, "no answer", 3, 1)
        holds.write(connection, "service outbox ", None, hold)

    found = found_in(metrics)
    sent = {"platform": "outbox", "outcome": "published", "kind": ""}
    assert value(found, "postsched_deliveries_total", **sent) == 2
    assert value(found, "postsched_deliveries_total", **sent | FAILED) == 1
    assert sorted(told) == ["failed", "published", "published", *["sending"] * 3]
    assert value(found, "postsched_lateness_seconds_count", platform="outbox") == 2
    late = value(found, "postsched_lateness_seconds_sum", platform="outbox")
    assert late is not None
    assert 0 < late < 60
    took = {"platform": "outbox", "outcome": "published"}
    assert value(found, "postsched_delivery_duration_seconds_count", **took) == 2
    assert value(found, "postsched_deliveries_in_flight") == 0
    assert value(found, "postsched_queue_deliveries", status="published") == 2
    assert value(found, "postsched_queue_deliveries", status="scheduled") == 1
    assert value(found, "postsched_oldest_due_seconds") == 0
    assert value(found, "postsched_workers", state="living") == 0
    assert value(found, "postsched_database_up") == 1
    me, other = ({"account": name, "platform": "outbox"} for name in ("me", "blocked"))
    ends = value(found, "postsched_token_expires_in_seconds", **me)
    assert ends is not None
    assert 3000 < ends <= 3600
    assert value(found, "postsched_token_expires_in_seconds", **other) is None
    assert value(found, "postsched_breaker_open", **me) == 1
    held = value(found, "postsched_account_held_seconds", **me, kind="breaker")
    assert held is not None
    assert 200 < held <= 300
    assert any(name == "postsched_build" and ("version", __version__) in labels
               for name, labels in found)  # fmt: skip


def test_how_things_stand_is_read_once_a_second_at_the_most() -> None:
    now, reads, costs = [0.0], [0], [0.0]

    def read() -> State:
        reads[0] += 1
        now[0] += costs[0]
        raise StoreUnavailable("the database can't be used")

    collector = StateCollector(read, lambda: now[0])
    for _ in range(1000):
        families = {family.name: family for family in collector.collect()}
    assert reads == [1]
    assert families["postsched_database_up"].samples[0].value == 0
    assert "postsched_queue_deliveries" not in families
    now[0], costs[0] = 1.1, 0.5
    list(collector.collect())  # takes half a second: is kept for ten
    now[0] += 9
    list(collector.collect())
    assert reads == [2]
    now[0] += 2
    list(collector.collect())
    assert reads == [3]


def client_of(
    desk: Desk,
    who: Authenticate = auth.without_login,
    ready: Readiness | None = None,
    *,
    public: bool = False,
) -> TestClient:
    """A client of the whole application."""
    app = create_app(lambda: desk, who, Web(metrics_public=public))
    app.state.ready = ready
    return TestClient(app, base_url="http://localhost")


def test_who_may_ask_and_in_which_form(desk: Desk) -> None:
    async def nobody(request: Any) -> Principal:
        raise auth.unknown(auth.NOBODY)

    async def reader(request: Any) -> Principal:
        return Principal("token:prometheus", Scope.READ)

    with client_of(desk, nobody) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"status": "ready"}
    with client_of(desk, nobody, public=True) as client:
        assert client.get("/metrics").status_code == 200
    with client_of(desk, reader) as client:
        plain = client.get("/metrics", headers={"Accept": "*/*"})
        assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
        wanted = "application/openmetrics-text; version=1.0.0"
        modern = client.get("/metrics", headers={"Accept": wanted})
        assert modern.headers["content-type"].startswith(wanted)
        assert {one.name for one in parse_modern(modern.text)} >= {"postsched_deliveries"}
        for nonsense in ("application/openmetrics-text; version=x", "text/plain;version=", "\x7f"):
            assert client.get("/metrics", headers={"Accept": nonsense}).status_code == 200


def test_it_is_ready_while_the_engine_claims(desk: Desk) -> None:
    async def play() -> list[str | None]:
        engine, said = engine_of(desk), list[str | None]()
        loop = asyncio.get_running_loop()
        said.append(await engine_problem(engine, loop))
        engine.dispatcher.cycle.trouble = StoreUnavailable("can't")
        said.append(await engine_problem(engine, loop))
        engine.dispatcher.cycle.trouble = None
        await engine.stop()
        said.append(await engine_problem(engine, loop))
        await engine.close()
        engine.database.close()
        return said

    well, trouble, stopping = asyncio.run(play())
    assert well is None
    assert trouble is not None
    assert "can't use the database" in trouble
    assert stopping is not None
    assert "stopping" in stopping

    async def ready() -> str | None:
        return stopping

    with client_of(desk, ready=ready) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, stopping)


SUFFIXES = re.compile(r"_(bucket|sum|count|total)$")
NAMED = re.compile(r"\b(?:postsched|process)_[a-z_]+\b")


def exposed(desk: Desk) -> set[str]:
    """The names of all metrics that there are."""
    body, _ = Metrics(lambda: read_state(desk)).exposition()
    return {family.name for family in parse(body.decode())}


def named_in(expression: str) -> set[str]:
    """The metrics that a PromQL expression names."""
    return {SUFFIXES.sub("", name) for name in NAMED.findall(expression)}


def test_alerts_name_what_there_is(desk: Desk) -> None:
    text = (readme.ROOT / "examples" / "prometheus" / "alerts.yml").read_text()
    (group,) = yaml.safe_load(text)["groups"]
    known = {SUFFIXES.sub("", name) for name in exposed(desk)}
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert named_in(rule["expr"]) <= known, rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")")
    alerts = {rule["alert"] for rule in group["rules"]}
    assert {"PostschedDown", "PostschedLate", "PostschedFailing", "PostschedUnconfirmed",
            "PostschedTokenExpires", "PostschedBreakerOpen"} <= alerts  # fmt: skip


def test_the_dashboard_shows_all_there_is(desk: Desk) -> None:
    text = (readme.ROOT / "examples" / "grafana" / "postsched.json").read_text()
    board = json.loads(text)
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert board["templating"]["list"][0]["type"] == "datasource"
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    used = set().union(*map(named_in, expressions))
    known = {SUFFIXES.sub("", name) for name in exposed(desk)}
    assert used <= known
    ours = {name for name in known if name.startswith("postsched_") and "_created" not in name}
    assert ours <= used
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len(places)
