"""What a case came to, by the network's ledger and what postsched says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from postsched.testing.network import Seen
from tests.matrix.stage import Call, State

ONCE, UNCONFIRMED, LOST, TWICE = "once", "unconfirmed", "lost", "twice"
LIE, NEEDLESS, UNREACHED = "lie", "needless", "not reached"
VANISHED = "vanished"
"""The boundary is one that only some recordings pass, by how threads take turns."""
GOOD = (ONCE, UNCONFIRMED)
ENDED = frozenset({"published", "failed", "missed", "unconfirmed", "cancelled"})
Shape = list[tuple[str, str | None, tuple[str, ...]]]
"""What is out: text, text of the post it replies to, alt texts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word for the table, and what is to be said of it."""

    word: str
    detail: str = ""


def shape(out: Sequence[Seen]) -> Shape:
    """What is out, without what differs from run to run."""
    texts = {seen.remote_id: seen.text for seen in out}
    parents = [texts.get(seen.parent or "", seen.parent) for seen in out]
    rows = zip(out, parents, strict=True)
    return sorted(((seen.text, parent, seen.alts) for seen, parent in rows), key=repr)


def judge_end(
    texts: Sequence[str], wanted: Shape, out: Sequence[Seen], state: State, last: Call
) -> Verdict:
    """What a case came to that needs no person any more."""
    if bad := _count(texts, out, at_least=1):
        return Verdict(bad.word, f"{bad.detail}; {state.status}: {state.problem}")
    if state.status != "published":
        return Verdict(LIE, f"all is out, and it says {state.status}: {state.problem}")
    ids = {seen.text: seen.remote_id for seen in out}
    if list(state.ids) != [ids[text] for text in texts]:
        return Verdict(LIE, f"the ids are {ids}, and it says {state.ids}")
    if shape(out) != wanted:
        return Verdict(LIE, f"out is {shape(out)}, not {wanted}")
    if last.code != 0:
        return Verdict(LIE, f"published, and the last command ended with {last.code}: {last.said}")
    return Verdict(ONCE)


def judge_doubt(
    texts: Sequence[str], out: Sequence[Seen], state: State, last: Call, settles: Sequence[bool]
) -> Verdict:
    """What a case came to that a person has to decide; `settles` says of each step whether its
    network can be asked."""
    if bad := _count(texts, out, at_least=0):
        return bad
    step = step_in_doubt(state, texts)
    if settles[step]:
        return Verdict(NEEDLESS, f"{texts[step]!r} is unconfirmed: {state.problem}")
    if last.code != 1 or "unconfirmed" not in last.said:
        return Verdict(LIE, f"not shown loudly, {last.code}: {last.said}")
    missing = [text for text in texts[:step] if text not in {seen.text for seen in out}]
    return Verdict(LIE, f"said to be out: {missing}") if missing else Verdict(UNCONFIRMED)


def step_in_doubt(state: State, texts: Sequence[str]) -> int:
    """The number, from 0, of the first step that is not out as far as is known."""
    ids = (*state.ids, *[None] * len(texts))
    return next(n for n, found in enumerate(ids) if found is None)


def _count(texts: Sequence[str], out: Sequence[Seen], *, at_least: int) -> Verdict | None:
    counts = Counter(seen.text for seen in out)
    if twice := [text for text in counts if counts[text] > 1]:
        return Verdict(TWICE, f"{twice} more than once")
    if strange := set(counts) - set(texts):
        return Verdict(LIE, f"nobody wrote {strange}")
    lost = [text for text in texts if counts[text] < at_least]
    return Verdict(LOST, f"{lost} not out") if lost else None
