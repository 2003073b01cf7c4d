"""The command around the benchmarks: goals, tables, the picture, the server. None is run."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks import cost, profile
from tests.benchmarks.__main__ import PARTS, SECONDS, foretold, parsed
from tests.benchmarks.figures import (
    Figure,
    above,
    at_least,
    at_most,
    below,
    beside,
    markdown,
    number,
    table,
)
from tests.benchmarks.machine import Machine, watching
from tests.benchmarks.order import Order, at_once, later, spread
from tests.benchmarks.page import PICTURE, PLACE, README, tables_of
from tests.benchmarks.peers.contenders import peers
from tests.benchmarks.picture import COLOURS, drawn
from tests.benchmarks.playing import Play
from tests.benchmarks.profile import rows_of, shares
from tests.benchmarks.record import Record
from tests.benchmarks.responder import Responder, arrivals, count
from tests.benchmarks.run import QUICK, Run
from tests.benchmarks.stopwatch import JSON, LOOP, SQLITE, Stopwatch

SVG = "{http://www.w3.org/2000/svg}"


GOALS = (
    (Figure("a", "ms", 11.5, "floor", 10, at_most(1.15)), True, "≤ 1.15 ×"),
    (Figure("a", "ms", 11.6, "floor", 10, at_most(1.15)), False, "≤ 1.15 ×"),
    (Figure("a", "ms", 18.0, "floor", 10, at_most(1.5, slack=8)), True, "or within 8 ms"),
    (Figure("a", "/s", 850, "floor", 1000, at_least(0.85)), True, "≥ 0.85 ×"),
    (Figure("a", "/s", 849, "floor", 1000, at_least(0.85)), False, "≥ 0.85 ×"),
    (Figure("a", "ms", 10, "empty", 1, below(10)), True, "≤ 10 ms"),
    (Figure("a", "/s", 19_999, goal=above(20_000)), False, "≥ 20,000 /s"),
    (Figure("a", "ms", 0, "floor", 0, at_most(1)), True, "≤ 1 ×"),
    (Figure("a", "ms", 1, goal=at_most(1)), False, "≤ 1 ×"),
    (Figure("a", "ms", float("nan"), "floor", 1, at_most(1)), False, "≤ 1 ×"),
    (Figure("a", "ms", 1, "floor", 2), None, ""),
)


def test_a_goal_is_judged_by_ratio_or_by_value() -> None:
    for figure, reached, words in GOALS:
        assert figure.reached is reached, figure
        assert words in figure.row()[4]
        document = json.loads(json.dumps(figure.document()))
        assert document["reached"] is reached
        assert document["ratio"] == pytest.approx(figure.ratio, nan_ok=True)


def test_the_table_says_what_was_missed() -> None:
    figures = [
        Figure("burst at 10", "posts/s", 500, "floor", 1000, at_least(0.85)),
        Figure("lateness, p50", "ms", 2.345, "floor", 2.3, at_most(1.15)),
        Figure("lateness, p99", "ms", 90, "floor", 10, at_most(1.5), stalled=True),
    ]
    lines = table([figure.document() for figure in figures]).splitlines()
    words = [" ".join(line.split()) for line in lines[2:]]
    assert words[0] == "burst at 10 500 posts/s floor 1,000 0.5 × ≥ 0.85 × NO"
    assert words[1] == "lateness, p50 2.35 ms floor 2.3 1.02 × ≤ 1.15 × yes"
    assert words[2] == "lateness, p99 90 ms floor 10 9 × ≤ 1.5 × NO (stalled)"
    assert [number(n) for n in (1234.5, 12.34, 0.01234, 0, None)] == [
        "1,234", "12.3", "0.0123", "0", "?",
    ]  # fmt: skip
    assert markdown(["a", "b"], [["x", "1"]], [1]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def contenders() -> dict[str, dict[str, Any]]:
    """What a run came to in which everybody took part."""
    return {
        name: {"lateness": [0.0, 1.0, n * 40.0 + 2], "p50": 1.0, "p50 floor": 0.5,
               "burst 10": 900.0 - n, "over": {"1000": 900.0 - n, "100000": 1000.0 / (n + 1)}}
        for n, name in enumerate(COLOURS)
    } | {"server": {"capacity": 20_000.0}}  # fmt: skip


def test_those_side_by_side_are_told_without_the_server() -> None:
    told = beside(contenders())
    assert all(name in told for name in COLOURS)
    assert "server" not in told
    assert "1 (0.5)" in told


STALLING = Machine(0.33, 0.5, 0.1, 35.0, 1.0, 105.0)


def part() -> Mapping[str, Any]:
    """A part as it is kept, measured on a machine that stood still now and then."""
    run = Run(Random(1), 2, QUICK, figures=[GOALS[0][0], GOALS[1][0]], others=contenders())
    record = Record()
    record.add("lateness", run, STALLING, 12.3, 7)
    return record.parts["lateness"]


def test_what_was_measured_is_kept_and_put_in_place_of_the_old(tmp_path: Path) -> None:
    place = tmp_path / "kept.json"
    assert Record.read(place).parts == {}
    kept = Record({"lateness": part(), "burst": part()})
    kept.write(place)
    again = Record.read(place)
    assert again.parts == kept.parts
    assert again.missed == ["a"]
    assert again.contenders == contenders()
    assert again.when()[1][2:] == ["12 s", "2", "7"]
    assert "cores, Python 3" in again.where()
    assert foretold(["lateness"], again) == "about 0 minutes"
    assert foretold(["lateness", "million"], again) == "about 6 minutes"
    assert all(figure["stalled"] for figure in again.figures)
    assert not Machine(0.01, 0.9, 0.1, 1.0, 1.0, 9.0).stalled


def test_the_machine_is_watched_until_asked() -> None:
    with watching() as watch:
        time.sleep(0.1)  # what is measured is time
        told = watch.told()
    assert 0 <= told.overslept_p50 <= told.overslept_p99
    assert 0 < told.fsync_p50 <= told.fsync_p99
    assert 0 <= told.stolen <= 1


def test_the_picture_is_well_formed_and_names_all_who_took_part() -> None:
    for left_out in (set[str](), {"BullMQ", "Celery"}, set(COLOURS)):
        took_part = {name: one for name, one in contenders().items() if name not in left_out}
        root = ET.fromstring(drawn(took_part))
        assert root.tag == SVG + "svg"
        words = " ".join(text.text or "" for text in root.iter(SVG + "text"))
        here = set(COLOURS) - left_out
        assert {name for name in COLOURS if name in words} == here
        assert len(list(root.iter(SVG + "polyline"))) == 2 * len(here)
        styles = "".join(style.text or "" for style in root.iter(SVG + "style"))
        used = {name for one in root.iter() for name in one.get("class", "").split()}
        assert all(styles.count(f".{name}{{") == 2 for name in used)  # by day and by night
        heights = [float(one.attrib["y"]) for one in root.iter(SVG + "text")]
        assert all(0 <= y <= float(root.attrib["height"]) for y in heights)


def test_the_readme_has_a_place_for_the_figures_and_the_picture() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(PLACE.findall(text)) == len(profile.PLACE.findall(text)) == 1
    assert str(PICTURE.relative_to(README.parent)) in text
    told = tables_of(Record({"lateness": part(), "burst": part()}))
    assert "| a | 11.5 ms | floor 10 | 1.15 × | ≤ 1.15 × | yes |" in told
    assert "| 12 s | 2 | 7 | 33 % | 50 % | 0.1 ms | 35 ms | 1 ms | 105 ms |" in told
    ET.fromstring(PICTURE.read_text(encoding="utf-8"))


def test_the_options_name_parts_that_are_there() -> None:
    assert parsed([]).only == PARTS == tuple(SECONDS)
    assert sum(SECONDS[part] for part in parsed(["--renew"]).only) <= 15 * 60
    given = parsed(["--only", "burst", "idle", "--quick", "--rounds", "3", "--no-peers"])
    assert (given.only, given.quick, given.rounds, given.peers) == (
        ["burst", "idle"],
        True,
        3,
        False,
    )
    for part in PARTS:  # not imported: they bring all of the engine
        source = (README.parent / f"tests/benchmarks/parts/{part}.py").read_text(encoding="utf-8")
        assert "\ndef measure(run: Run) -> None:\n" in source


def test_a_peer_that_is_not_installed_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTSCHED_TEST_CACHE", str(tmp_path))
    for peer in peers():
        reason = peer.missing()
        assert reason is not None
        assert "python -m tests.benchmarks.peers install" in reason


def test_an_order_is_read_as_it_was_written(tmp_path: Path) -> None:
    order = Order("http://127.0.0.1:1", spread(5, 1.0, 2e9), 10)
    assert Order.read(order.write(tmp_path)) == order
    assert order.dues == sorted(order.dues)
    assert len(set(at_once(3, 1.0))) == 1
    assert later(201)[-1] - later(201)[0] in (119.0, 120.0, 121.0)
    ours, bare = (Play(500, 30.0).dues(2e9, n / 2) for n in range(2))
    gaps = [b - a for a, b in pairwise(sorted(ours + bare))]
    assert max(gaps) < 0.032  # by turns
    assert min(gaps) > 0.028


def test_what_a_process_costs_is_read_while_it_lives() -> None:
    me = os.getpid()
    before = cost.cpu([me])
    assert sum(range(200_000)) > 0
    assert cost.cpu([me]) >= before > 0
    assert cost.memory(me) > 5
    assert me in cost.family(os.getppid())


def test_the_time_of_a_thread_is_shared_out_among_the_parts() -> None:
    watch = Stopwatch()
    before = sys.getprofile()

    def work() -> None:
        with sqlite3.connect(":memory:") as connection:
            connection.execute("SELECT 1").fetchall()
        connection.close()
        asyncio.run(asyncio.sleep(0))
        json.loads(json.dumps({"a": 1}))

    watch.start()
    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join(10)
    sys.setprofile(before)
    threading.setprofile(None)
    seen = watch.read()["worker"]
    assert {SQLITE, LOOP, JSON} <= seen.calls.keys()
    assert sum(seen.nanoseconds.values()) > 0
    ours = shares(
        [{"worker": 0.4}, {"worker": 0.2}, {"worker": 0.1}],
        {"parts": {"worker": asdict(seen)}},
        1000,
    )
    assert sum(time for time, _ in ours["worker"].values()) == pytest.approx(200)
    rows = rows_of({"MainThread": ours["worker"]}, {"MainThread": {JSON: (9.0, 4.0)}})
    assert rows[-1][:2] == ["in all", "200"]
    assert rows[-1][4:] == ["9", "4"]


@pytest.fixture
def server() -> Iterator[str]:
    """The cheap server, in a thread, with a little delay; its address."""
    reading, writing = os.pipe()
    responder = Responder(0.01)
    with os.fdopen(reading) as end:
        thread = threading.Thread(target=responder.serve, args=(end,))
        thread.start()
        yield responder.url
        os.close(writing)
        thread.join(10)
    responder.close()


def test_the_server_answers_as_mastodon_and_keeps_the_instants(server: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)
    ids = []
    for n in range(3):  # on one connection
        connection.request("POST", "/api/v1/statuses", json.dumps({"status": f"post {n}"}))
        ids.append(json.load(connection.getresponse())["id"])
    connection.close()
    assert ids == ["1", "2", "3"]
    assert count(server) == 3
    came = arrivals(server)
    assert [text for text, _ in came] == ["post 0", "post 1", "post 2"]
    assert all(b - a >= 10_000_000 for (_, a), (_, b) in pairwise(came))
