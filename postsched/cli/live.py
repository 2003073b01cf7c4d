"""The live view of `run` on a terminal: what happened scrolls up, what is going on stays below.

It draws in a thread of its own, so that a slow terminal, or one that was stopped with Ctrl-S,
never holds up a post.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text

from postsched.cli import scene
from postsched.cli.aside import PATIENCE, Writer
from postsched.cli.lookout import Lookout
from postsched.cli.pane import REMEMBERED, Keyboard, Pane, is_in_front, terminal_size
from postsched.cli.watching import View, log_through, log_to_stderr, logging_events, sentence
from postsched.domain.delivery import Delivery

if TYPE_CHECKING:
    from postsched.cli.program import Program
    from postsched.engine.assembly import Engine
    from postsched.store.queue import Work

log = logging.getLogger("postsched.screen")
TICK = 1.0
"""Seconds between pictures where nothing happens but time passing."""
FRAME = 0.15
"""Seconds between pictures at the least; while something is uploaded, twice that."""
CALM = timedelta(milliseconds=20)
"""How long before a post is due nothing is drawn: both threads share one interpreter."""
HURRY = 0.3
"""Seconds after which a picture is drawn even if posts go out without a pause."""
IN_FULL = 20
"""How many events of one picture are told in full; the others are counted."""


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened at an instant (UTC): a log record if `delivery` is None."""

    at: datetime
    word: str
    delivery: Delivery | None = None
    level: int = logging.INFO
    message: str = ""


class LiveView(View):
    """Shows a run on the terminal behind stderr, from `started` to the end of the `with` block."""

    def __init__(
        self,
        program: Program,
        engine: Engine,
        tally: Callable[[str, Work], None],
        *,
        until_idle: bool,
    ) -> None:
        self._program, self._engine, self._tally = program, engine, tally
        self._until_idle = until_idle
        self._zone = program.zone
        self._descriptor = sys.stderr.fileno()
        self._pane = Pane(Writer(sys.stderr), partial(terminal_size, self._descriptor))
        self._keyboard = Keyboard(self._descriptor)
        self._away = True
        self._lookout = Lookout(engine)
        self._news: deque[News] = deque()
        self._untold: deque[Text] = deque(maxlen=REMEMBERED)
        self._since: dict[int, float] = {}
        self._day = ""
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="postsched-screen", daemon=True)
        engine.dispatcher.on_event = self._on_event
        engine.dispatcher.uploads.watched = True

    def __enter__(self) -> LiveView:
        log_through(self._program, _ToNews(self._tell))
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)
        if not self._thread.is_alive():  # else the terminal takes nothing, from us either
            self._say_the_last()
        self._keyboard.restore()
        log_to_stderr(self._program)

    def started(self) -> None:
        """Say where posts come from, and begin to draw; called in the event loop."""
        database, pid = self._engine.database.name, self._engine.worker.pid
        log.info("running with %s (process %d); Ctrl-C ends it", database, pid)
        before = self._engine.dispatcher.on_change

        def changed() -> None:
            before()
            self._lookout.note()
            self._wake.set()

        self._engine.dispatcher.on_change = changed
        loop = asyncio.get_running_loop()
        if sys.platform != "win32":
            loop.add_signal_handler(signal.SIGWINCH, self._wake.set)
            loop.add_signal_handler(signal.SIGCONT, self._continue)
            # Put into the background we go on, whatever we do to the terminal.
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        self._thread.start()

    def _continue(self) -> None:
        """Stopped with Ctrl-Z and back: the shell has set the terminal and written on it."""
        self._away = True
        self._wake.set()

    def _on_event(self, word: str, work: Work) -> None:
        self._tally(word, work)
        delivery = work.delivery
        self._lookout.note(delivery.id)
        if word == "sending":
            self._since[delivery.id] = self._engine.clock.monotonic()
            self._wake.set()
        else:
            self._since.pop(delivery.id, None)
            self._tell(News(self._engine.clock.now(), word, delivery))

    def _tell(self, news: News) -> None:
        self._news.append(news)
        self._wake.set()

    def _say_the_last(self) -> None:
        if not is_in_front(self._descriptor):
            self._pane.forget()
        self._pane.close([*self._untold, *self._told()])

    # ---- the thread

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self._wait_for_calm()
                self._draw()
                self._ended.wait(FRAME)
                self._wake.wait(FRAME if self._engine.dispatcher.uploads.any else TICK - FRAME)
                self._wake.clear()
        except Exception:  # whatever is wrong with the screen, posts go on, and are told of
            self._engine.dispatcher.on_event = logging_events(self._tally)
            self._pane.close()
            log_to_stderr(self._program)
            log.exception("the live view failed; log lines follow")

    def _wait_for_calm(self) -> None:
        for _ in range(round(HURRY / 0.01)):
            hands, soon = self._engine.dispatcher.hands, self._engine.clock.now() + CALM
            busy = hands.flying or any(h.at < soon for h in [*hands.held.values()])
            if not busy or self._ended.wait(0.01):
                return

    def _draw(self) -> None:
        self._untold.extend(self._told())
        if not is_in_front(self._descriptor):
            self._away = True
            return
        if self._away:
            self._away = False
            self._keyboard.still()
            self._pane.forget()
        self._lookout.look()
        self._pane.draw([*self._untold], scene.block(self._scene()))
        self._untold.clear()

    def _scene(self) -> scene.Scene:
        hands, uploads = self._engine.dispatcher.hands, self._engine.dispatcher.uploads.amounts()
        flying = [*hands.flying.values()]
        waiting = [*hands.held.values(), *hands.preparing.values()]
        monotonic = self._engine.clock.monotonic()
        return scene.Scene(
            now=self._engine.clock.now(),
            zone=self._zone,
            columns=terminal_size(self._descriptor)[0],
            sending=[(h.work, monotonic - self._since.get(h.id, monotonic)) for h in flying],
            preparing=[held.work for held in waiting if held.id in uploads],
            uploads=uploads,
            waiting=self._lookout.waiting(),
            beyond=self._lookout.beyond,
            many=self._lookout.many,
            notes=self._lookout.notes(),
            stopping=any(held.stopping for held in flying),
            until_idle=self._until_idle,
        )

    def _told(self) -> list[Text]:
        """A line for each of the news; where they come in crowds, what did not simply go out is
        told first, and the rest is counted."""
        news = [self._news.popleft() for _ in range(len(self._news))]
        loud = [one for one in news if one.word != "published"]
        quiet = [one for one in news if one.word == "published"]
        full = {id(one) for one in [*loud, *quiet][:IN_FULL]}
        lines = [line for one in news if id(one) in full for line in self._lines(one)]
        rest = Counter(one.word for one in [*loud, *quiet][IN_FULL:])
        at = self._engine.clock.now()
        return lines + [scene.summary_line(at, word, n, self._zone) for word, n in rest.items()]

    def _lines(self, news: News) -> Sequence[Text]:
        if news.delivery is not None:
            line = scene.event_line(news.at, news.word, news.delivery, self._zone)
        else:
            line = scene.log_line(news.at, news.level, news.message, self._zone)
        day = scene.day_line(news.at, self._zone)
        if day.plain == self._day:
            return [line]
        self._day = day.plain
        return [day, line]


class _ToNews(logging.Handler):
    """Log records as news."""

    def __init__(self, tell: Callable[[News], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        at = datetime.fromtimestamp(record.created, UTC)
        word = record.levelname.lower()
        self._tell(News(at, word, level=record.levelno, message=sentence(record)))
