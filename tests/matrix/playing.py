"""One network of the matrix: its recordings, and its cases played one after the other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from postsched import platforms
from postsched.testing.picture import png
from tests.matrix import judging
from tests.matrix.boundaries import Boundary, Death, recorded
from tests.matrix.cases import (
    AFTER,
    BEFORE,
    COMMANDS,
    DOUBTS,
    DUE,
    RUN,
    STARTS,
    Case,
    cases_of,
)
from tests.matrix.judging import ENDED, Shape, Verdict
from tests.matrix.stage import IMPATIENCE, Call, Stage, State
from tests.matrix.stands import COMMENT, Stand
from tests.matrix.world import World

AHEAD = 120
"""Seconds from the writing of the post to the instant it is due: `run` prepares it before."""
ROUNDS = {RUN: 2, DUE: 12}
"""How often a command may be called until nothing is left."""
ANSWERED = 20.0
"""Real seconds in which an answer comes, where one does."""
REWOUND = "is a copy from before"
"""What a process says that finds its database younger than the mark outside of it."""
TRIES = 3
"""How often a case is played until its boundary is reached: what runs side by side may change
places."""


class Broken(Exception):
    """The matrix itself does not work."""


def memory() -> str | None:
    """A place in memory, where the system has one: what a killed process wrote stays there as it
    does on a disk, and nothing waits for the disk."""
    place = "/dev/shm"
    return place if os.access(place, os.W_OK) else None


class Player:
    """Plays the cases of one network, on a stage that is set anew for each."""

    def __init__(self, stand: Stand, stage: Stage) -> None:
        self._stand = stand
        self._stage = stage
        self._settles: list[bool] = []
        self._publishing: Boundary | None = None
        self._shapes: dict[str, Shape] = {}
        self._rewound = False
        self.recorded: set[tuple[str, Boundary]] = set()
        self.cases: list[Case] = []

    def prepare(self, starts: Set[str]) -> None:
        """Add the account and the post, and record each of those starts that can be; where none
        can, the mere sending."""
        self._set_up()
        if not starts & COMMANDS.keys():
            self._record(DUE)  # by which it is known what publishes
        self._take_in(start for start in STARTS if start in starts)
        if not self.cases:
            self._take_in([DUE])

    def _take_in(self, starts: Iterable[str]) -> None:
        for start in starts:
            if start not in DOUBTS or self._can_doubt(start):
                boundaries = self._record(start)
                self.recorded |= {(start, boundary) for boundary in boundaries}
                self.cases += cases_of(self._stand, start, boundaries)

    def _set_up(self) -> None:
        stage = self._stage
        with stage.network():
            login = stage.login
            stage.let_in(login)
            self._do(*self._stand.account(stage.home, login))
            self._do(*self._stand.post(stage.home), "--in", f"{AHEAD}s")
        stage.keep()
        facts, platform = stage.facts(), platforms.get(self._stand.platform)
        guarantee = platform.capabilities(facts).guarantee
        comments = guarantee.of_comments if self._is_comment else guarantee
        self._settles = [
            (comments if text == COMMENT else guarantee).settles for text in self._stand.texts
        ]

    @property
    def _is_comment(self) -> bool:
        return not self._stand.thread

    def _do(self, *words: str) -> None:
        call = self._stage.call(*words)
        if call.code:
            raise Broken(f"{self._stand.name}: {' '.join(words)}: {call.said}")

    def _record(self, start: str) -> list[Boundary]:
        stage, file = self._stage, self._stage.home.with_name("recording")
        file.unlink(missing_ok=True)
        with self._begun(start):
            call = stage.call(*STARTS[start], record=file)
            self._publishing = self._publishing or stage.publishing
            out, state = stage.out(), stage.state()
            self._shapes[start] = judging.shape(out)
            verdict = judging.judge_end(
                self._stand.texts, self._shapes[start], out, state, call
            )  # fmt: skip
        if verdict.word != judging.ONCE:
            raise Broken(f"{self._stand.name}: a mere {start}: {verdict} {call.said}")
        return recorded(file)

    @contextmanager
    def _begun(self, start: str, at: Boundary | None = None, kind: str = "") -> Iterator[None]:
        self._stage.restore()
        if start == DUE:
            self._stage.world.skip(AHEAD + 1)
        if start not in DOUBTS:
            with self._stage.network(at, kind):
                yield
            return
        self._stage.world.skip(AHEAD + 1)
        with self._stage.network(self._publishing, DOUBTS[start]):
            self._stage.call(*COMMANDS[DUE])
            yield

    def _can_doubt(self, start: str) -> bool:
        """Whether what is lost of a publish is settled later, and not by a person."""
        if self._publishing is None:
            return False
        with self._begun(start):
            return self._stage.state().status == "confirming"

    def play(self, case: Case) -> Verdict:
        """Play a case to its end."""
        for _ in range(TRIES):
            self._rewound = False
            verdict = self._played(case)
            if verdict.word != judging.UNREACHED:
                break
        if verdict.word == judging.UNREACHED and case.boundary not in self._record(case.start):
            return Verdict(judging.VANISHED)
        if self._rewound and verdict.word in judging.GOOD:
            return Verdict(judging.LIE, "it took its own database for a copy from before")
        return verdict

    def _call(self, *words: str, death: Death | None = None, patience: float = ANSWERED) -> Call:
        call = self._stage.call(*words, death=death, patience=patience)
        self._rewound |= REWOUND in call.said
        return call

    def _played(self, case: Case) -> Verdict:
        if case.kind in (BEFORE, AFTER):
            with self._begun(case.start):
                death = Death(case.boundary, case.kind == AFTER)
                call = self._call(*STARTS[case.start], death=death)
                if call.code != -9:
                    return Verdict(judging.UNREACHED, f"it ended with {call.code}: {call.said}")
                return self._settled(case, call)
        with self._begun(case.start, case.boundary, case.kind):
            patience = IMPATIENCE if case.kind == "timeout" else ANSWERED
            call = self._call(*STARTS[case.start], patience=patience)
            if not self._stage.hit:
                return Verdict(judging.UNREACHED, f"it ended with {call.code}: {call.said}")
            return self._settled(case, call)

    def _settled(self, case: Case, last: Call) -> Verdict:
        stage, texts = self._stage, self._stand.texts
        killed = stage.state() if last.code < 0 else None
        last, state = self._go_on(case.restart, last)
        if state.status != "unconfirmed":
            wanted = self._shapes[case.start]
            return judging.judge_end(texts, wanted, stage.out(), state, last)
        verdict = judging.judge_doubt(texts, stage.out(), state, last, self._settles)
        if verdict.word != judging.UNCONFIRMED:
            return verdict
        if killed and not killed.sent:
            return Verdict(judging.NEEDLESS, f"by what was on record it was not sent: {killed}")
        self._resolve(judging.step_in_doubt(state, texts))
        last, state = self._go_on(case.restart, Call(0, ""))
        after = judging.judge_end(texts, self._shapes[case.start], stage.out(), state, last)
        return verdict if after.word == judging.ONCE else after

    def _go_on(self, way: str, last: Call) -> tuple[Call, State]:
        """Call the command until nothing is left, and at least once after a process was killed;
        its last call, and the delivery then."""
        stage = self._stage
        for _ in range(ROUNDS[way]):
            state = stage.state()
            if state.status in ENDED and last.code >= 0:
                return last, state
            if way == DUE and state.next_at is not None:
                stage.world.skip(max(0.0, state.next_at - stage.world.nanoseconds() / 1e9) + 0.001)
            last = self._call(*COMMANDS[way])
        return last, stage.state()

    def _resolve(self, step: int) -> None:
        """Do what a person does who looks at the account."""
        text = self._stand.texts[step]
        there = [seen.remote_id for seen in self._stage.out() if seen.text == text]
        words = ("published", "--remote-id", there[0]) if there else ("absent",)
        self._do("resolve", "1", *words)


@dataclass(frozen=True, slots=True)
class Played:
    """A network's recorded boundaries, with the command that passed each; its cases; those of them
    that were played, and what they came to; and those whose boundary was not passed again."""

    network: str
    recorded: frozenset[tuple[str, Boundary]]
    cases: Sequence[Case]
    verdicts: Sequence[tuple[Case, Verdict]]
    vanished: Sequence[Case]

    @property
    def left_out(self) -> list[tuple[str, Boundary]]:
        """The boundaries at which nothing was played."""
        played = {(case.start, case.boundary) for case, _ in self.verdicts}
        return sorted(self.recorded - played - {(one.start, one.boundary) for one in self.vanished})


def played(
    stand: Stand,
    starts: Set[str],
    choose: Callable[[Sequence[Case]], Sequence[Case]],
    tell: Callable[[str], None],
) -> Played:
    """Record a network by those starts, and play the cases that are chosen."""
    with TemporaryDirectory(prefix="matrix-", dir=memory()) as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / "square.png").write_bytes(png())
        player = Player(stand, Stage(stand, home, World(), 0))
        player.prepare(starts)
        begun = time.monotonic()
        verdicts, vanished = [], []
        for case in choose(player.cases):
            verdict = player.play(case)
            if verdict.word == judging.VANISHED:
                vanished.append(case)
                continue
            verdicts.append((case, verdict))
            if verdict.word not in judging.GOOD:
                tell(f"{verdict.word}: {case}: {verdict.detail}")
        tell(f"{stand.name}: {len(verdicts)} cases, {time.monotonic() - begun:.0f} s")
        return Played(stand.name, frozenset(player.recorded), player.cases, verdicts, vanished)
