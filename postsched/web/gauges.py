"""How things stand, as Prometheus has it: read from the database when somebody asks.

A reading is used again for a second at least, and for twenty times as long as it took, so that no
number of scrapes takes more than a twentieth of a processor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from postsched.domain.account import AccountState
from postsched.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from postsched.domain.account import Account
    from postsched.service.state import State

FRESH = 1.0
"""Seconds for which a reading is used again."""
SHARE = 20
"""Of how much time a reading may take one part."""
ACCOUNT = ("account", "platform")


class StateCollector(Collector):
    """Reads the state by `read`, in whatever thread asks, one at a time."""

    def __init__(
        self, read: Callable[[], State], elapsed: Callable[[], float] = perf_counter
    ) -> None:
        self._read, self._elapsed = read, elapsed
        self._lock = Lock()
        self._kept: list[Metric] = []
        self._until = float("-inf")

    def collect(self) -> Iterable[Metric]:
        """The gauges. Where the database can't be read it is said to be down, and nothing else."""
        with self._lock:
            if self._elapsed() >= self._until:
                self._kept = self._anew()
            return self._kept

    def describe(self) -> Iterable[Metric]:
        """Nothing is read for the sake of names."""
        return ()

    def _anew(self) -> list[Metric]:
        start, found = self._elapsed(), list[Metric]()
        try:
            found = list(gauges(self._read()))
        except StoreUnavailable:
            up = 0.0
        else:
            up = 1.0
        took = self._elapsed() - start
        self._until = start + took + max(FRESH, SHARE * took)
        return [
            *found,
            _one("postsched_database_up", "Whether the database could be read.", up),
            _one("postsched_state_read_seconds", "How long reading the state took.", took),
        ]


def gauges(state: State) -> Iterator[Metric]:
    """The state as gauges."""
    queue = GaugeMetricFamily(
        "postsched_queue_deliveries", "Deliveries by status.", labels=["status"]
    )
    for status, count in state.counts.items():
        queue.add_metric([status.value], count)
    yield queue
    yield _one(
        "postsched_oldest_due_seconds",
        "How long the first delivery that should be out has been due; 0 if none should.",
        state.oldest_due or 0.0,
    )
    yield _one("postsched_paused", "Whether everything is paused.", state.paused)
    workers = GaugeMetricFamily("postsched_workers", "Workers on record.", labels=["state"])
    for name in ("living", "silent", "dead"):
        workers.add_metric([name], len(getattr(state.present, name)))
    yield workers
    yield from _of_accounts(state)
    yield from _of_limits(state)


def _of_accounts(state: State) -> Iterator[Metric]:
    broken = {(platform, url) for platform, url, _ in state.limits.broken}
    paused = _by_account("postsched_account_paused", "Whether a person holds the account.")
    refused = _by_account("postsched_account_login_refused", "Whether its login is refused.")
    opened = _by_account("postsched_breaker_open", "Whether its service does not answer.")
    ends = _by_account(
        "postsched_token_expires_in_seconds",
        "Until the login ends; below 0 it has. Accounts whose login never ends are left out.",
    )
    for account in state.accounts:
        labels = _labels(account)
        paused.add_metric(labels, account.paused)
        refused.add_metric(labels, account.state is AccountState.LOGIN)
        opened.add_metric(labels, (account.platform, account.url or "") in broken)
        if account.token_expires_at is not None:
            ends.add_metric(labels, (account.token_expires_at - state.at).total_seconds())
    yield from (paused, refused, opened, ends)


def _of_limits(state: State) -> Iterator[Metric]:
    held = _by_account(
        "postsched_account_held_seconds", "Until the account is used again, and why.", "kind"
    )
    left = _by_account(
        "postsched_quota_remaining", "What is left of a limit of the network.", "limit"
    )
    most = _by_account("postsched_quota_limit", "What the network takes in all.", "limit")
    for account in state.accounts:
        labels = _labels(account)
        wait = state.limits.held.get(account.id)
        if wait is not None and wait.until is not None:
            kind = wait.why.value if wait.why else ""
            held.add_metric([*labels, kind], (wait.until - state.at).total_seconds())
        for limit in state.limits.left.get(account.id, ()):
            left.add_metric([*labels, limit.name], limit.remaining)
            if limit.limit is not None:
                most.add_metric([*labels, limit.name], limit.limit)
    yield from (held, left, most)


def _labels(account: Account) -> list[str]:
    return [account.name, account.platform]


def _by_account(name: str, words: str, *further: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, labels=[*ACCOUNT, *further])


def _one(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
