"""The daemon killed at random moments: a small run of `tests.benchmarks.kills`, which is the
command for the large ones. The judge is the network's own ledger."""

from __future__ import annotations

import argparse

import pytest

from tests.benchmarks.kills import measure
from tests.servers import pds


@pytest.mark.slow
@pytest.mark.parametrize(("network", "workers"), [("mastodon", 2)])
def test_every_post_is_out_exactly_once(network: str, workers: int) -> None:
    given = argparse.Namespace(posts=30, kills=3, lose=10.0, seed=20261121, workers=workers)
    assert measure(network, given)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["outbox", "mastodon", "mock", "pds"])
def test_every_post_is_out_exactly_once_after_many_kills(network: str) -> None:
    if network == "pds" and (reason := pds.missing()):
        pytest.skip(reason)
    given = argparse.Namespace(posts=300, kills=30, lose=10.0, seed=42, workers=1)
    assert measure(network, given)
