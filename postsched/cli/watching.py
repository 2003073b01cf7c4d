"""What a running engine shows: log lines, or a live view on a terminal."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from postsched.cli.aside import Aside
from postsched.cli.render import PAST_GRACE, lateness

if TYPE_CHECKING:
    from collections.abc import Callable

    from postsched.cli.program import Program
    from postsched.engine.assembly import Engine
    from postsched.store.queue import Work

log = logging.getLogger("postsched.delivery")
LOUD = frozenset({"failed", "missed", "unconfirmed"})


def is_possible(program: Program) -> bool:
    """Whether we have a terminal, in the foreground, that can show a live view."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        return False
    if program.environ.get("TERM") in ("dumb", "unknown"):
        return False
    from rich.console import detect_legacy_windows

    from postsched.cli.pane import is_in_front

    return not detect_legacy_windows() and is_in_front(sys.stderr.fileno())


class View(AbstractContextManager["View"]):
    """Shows a run from its start to its end."""

    def started(self) -> None:
        """The engine listens now; called in the event loop."""


class LogView(View):
    """One line on stderr for each event."""

    def __init__(
        self,
        program: Program,
        engine: Engine,
        tally: Callable[[str, Work], None],
        log_format: str,
    ) -> None:
        self._program, self._engine = program, engine
        self._lines = Aside(sys.stderr, formatter(log_format))
        engine.dispatcher.on_event = logging_events(tally)

    def __enter__(self) -> LogView:
        log_through(self._program, self._lines)
        return self

    def __exit__(self, *exc: object) -> None:
        self._lines.finish()

    def started(self) -> None:
        """Say that posts go out from now on."""
        log.info("running with %s (process %d)", self._engine.database.name,
                 self._engine.worker.pid)  # fmt: skip


def logging_events(tally: Callable[[str, Work], None]) -> Callable[[str, Work], None]:
    """What the engine is to call at each event: the tally, and a log line."""

    def on_event(word: str, work: Work) -> None:
        tally(word, work)
        log_event(word, work)

    return on_event


def log_event(word: str, work: Work) -> None:
    """One log line for what became of a delivery."""
    delivery = work.delivery
    facts: dict[str, Any] = {"post": delivery.post_id, "delivery": delivery.id,
                             "account": delivery.account, "status": word}  # fmt: skip
    if word == "sending":
        log.debug("post %d: sending to %s", delivery.post_id, delivery.account, extra=facts)
        return
    parts = [f"post {delivery.post_id}: {word} on {delivery.account}"]
    if word == "published" and delivery.lateness is not None:
        facts["lateness_ms"] = round(delivery.lateness.total_seconds() * 1000, 1)
        parts.append(f"{lateness(delivery)} after it was due")
    if word == "missed" and not delivery.problem:
        parts.append(PAST_GRACE)
    if delivery.url:
        facts["url"] = delivery.url
        parts.append(delivery.url)
    if delivery.problem and word != "published":
        facts["error"] = delivery.problem.message
        parts.append(f"{delivery.problem.kind}: {delivery.problem.message}")
    again = delivery.next_at if word in ("retrying", "confirming", "scheduled") else None
    if again and again > delivery.due_at:  # else it waits for a login, not for a time
        parts.append(f"again at {again:%H:%M:%S}Z")
    log.log(logging.ERROR if word in LOUD else logging.INFO, ", ".join(parts), extra=facts)


def log_to_stderr(program: Program, log_format: str = "text") -> None:
    """Log lines to stderr, each written at once."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    log_through(program, handler)


def log_through(program: Program, handler: logging.Handler) -> None:
    """Send log lines through a handler: warnings with --quiet, debugging with -v."""
    root, ours = logging.getLogger(), logging.getLogger("postsched")
    root.handlers.clear()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    level = logging.DEBUG if program.verbosity else logging.INFO
    ours.setLevel(logging.WARNING if program.quiet else level)


def formatter(log_format: str) -> logging.Formatter:
    """The formatter for `--log-format`."""
    return JsonLines() if log_format == "json" else TextLines()


class TextLines(logging.Formatter):
    """Time, level where it matters, message."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds; a traceback only where one was asked for."""
        from postsched.cli.characters import printable

        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        return printable(f"{at}Z {level}{sentence(record)}", sys.stderr)


def sentence(record: logging.LogRecord) -> str:
    """The message of a record in one line, with the error it tells of."""
    message = " ".join(record.getMessage().split())
    if record.exc_info and record.exc_info[1] is not None:
        message += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
    return message


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    FACTS = ("post", "delivery", "account", "status", "lateness_ms", "url", "error")

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, message, and what is known of the delivery."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at.replace("+00:00", "Z"), "level": record.levelname.lower(),
                "message": record.getMessage()}  # fmt: skip
        line |= {name: getattr(record, name) for name in self.FACTS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
        return json.dumps(line)
