"""What is measured for Prometheus: what the engine does is counted as it happens, how things stand
is read when somebody asks (`gauges`).

Everything is in a registry of its own. Counters begin at 0 with the process, as Prometheus expects.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder, generate_latest

from postsched import __version__
from postsched.web.gauges import StateCollector

if TYPE_CHECKING:
    from postsched.service.state import State
    from postsched.store.queue import Work

LATENESS = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 21600,
)  # fmt: skip
"""Seconds: from what a running daemon does (milliseconds) to what a stopped one leaves (hours)."""
DURATION = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Seconds: from one small request to the upload of a film."""
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
BEGUN = "sending"
"""The word of the engine for the beginning; every other is an end."""

Event = Callable[[str, "Work"], None]


class Metrics:
    """`read` gives the state of the queue, and is called in the thread that asks for `exposition`;
    `note` is for the engine's event loop, and takes a few microseconds."""

    def __init__(
        self, read: Callable[[], State], elapsed: Callable[[], float] = perf_counter
    ) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._elapsed = elapsed
        self._begun: dict[int, float] = {}
        self._deliveries = Counter(
            "postsched_deliveries",
            "What attempts at deliveries came to.",
            ("platform", "outcome", "kind"),
            registry=self.registry,
        )
        self._lateness = Histogram(
            "postsched_lateness_seconds",
            "From when a delivery that went out was due to the start of its request.",
            ("platform",),
            buckets=LATENESS,
            registry=self.registry,
        )
        self._duration = Histogram(
            "postsched_delivery_duration_seconds",
            "From taking a delivery up at its instant to knowing what it came to.",
            ("platform", "outcome"),
            buckets=DURATION,
            registry=self.registry,
        )
        in_flight = Gauge(
            "postsched_deliveries_in_flight",
            "Deliveries that this process is sending.",
            registry=self.registry,
        )
        in_flight.set_function(lambda: len(self._begun))
        self._describe()
        self.registry.register(StateCollector(read))

    def _describe(self) -> None:
        """What this process is, and what it uses."""
        build = Gauge(
            "postsched_build",
            "The version that runs; always 1.",
            ("version", "python"),
            registry=self.registry,
        )
        build.labels(__version__, platform.python_version()).set(1)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def beside(self, on_event: Event) -> Event:
        """What the engine is to call at each event: `on_event`, and this."""

        def both(word: str, work: Work) -> None:
            try:
                self.note(word, work)
            finally:
                on_event(word, work)

        return both

    def note(self, word: str, work: Work) -> None:
        """Count an event of the engine."""
        delivery = work.delivery
        if word == BEGUN:
            self._begun[delivery.id] = self._elapsed()
            return
        begun, name = self._begun.pop(delivery.id, None), delivery.platform
        kind = delivery.problem.kind.value if delivery.problem and word != "published" else ""
        self._deliveries.labels(name, word, kind).inc()
        if begun is not None:
            self._duration.labels(name, word).observe(self._elapsed() - begun)
        if word == "published" and delivery.lateness is not None:
            self._lateness.labels(name).observe(max(0.0, delivery.lateness.total_seconds()))

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """All of it, and its content type: OpenMetrics or Prometheus' text, as is wanted."""
        try:
            encode, kind = choose_encoder(accept)
        except (TypeError, ValueError):  # a version that is none
            encode, kind = generate_latest, PLAIN
        return encode(self.registry), kind
