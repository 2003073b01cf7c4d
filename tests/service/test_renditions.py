"""Series are judged by what they will say: each text, the next occurrences, what is said twice."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.account import Account, AccountState
from postsched.domain.draft import Draft, DraftPart
from postsched.domain.errors import InvalidInput
from postsched.domain.secret import SecretStore
from postsched.secrets import Secrets
from postsched.service import checking, posts
from postsched.service.checking import Check
from postsched.service.compose import Unfit
from postsched.service.desk import Desk
from postsched.store import accounts
from postsched.testing import FakeClock
from tests.service.desk import claim, desk_at, publish

LONG = "x" * 281
NO_SECRETS = Secrets({}, store=SecretStore.KEYRING)
CHECKED = {Check.LIMITS, Check.EQUAL_TEXT}


@pytest.fixture
def clock() -> FakeClock:
    """It stands at 9:00 on 27 November 2026, a Friday."""
    return FakeClock()


@pytest.fixture
def desk(tmp_path: Path, clock: FakeClock) -> Iterator[Desk]:
    """A desk with two outboxes, and `tw` on X: 280 characters, nothing twice in a day."""
    with desk_at(tmp_path, clock) as found:
        with found.database.write() as connection:
            uid = secrets.token_hex(16)
            new = Account(0, uid, "tw", "x", clock.now(), state=AccountState.OK)
            accounts.insert(connection, new)
        yield found


def add(desk: Desk, text: str = "", at: str = "10:00", **more: Any) -> tuple[str, ...]:
    """Write a daily post to X; the notes on it."""
    added = posts.add(desk, Draft(text, to=("tw",), at=at, repeat="daily", **more))
    assert added.composed
    return added.composed.notes


def refused(desk: Desk, text: str = "", **more: Any) -> list[str]:
    """What is wrong with one."""
    with pytest.raises(Unfit) as caught:
        add(desk, text, **more)
    return [finding.message for finding in caught.value.findings]


def found(desk: Desk) -> list[tuple[Check, str]]:
    """What `check` finds, of limits and equal texts."""
    findings = checking.check(desk, NO_SECRETS).findings
    return [(f.fault.check, f.fault.message) for f in findings if f.fault.check in CHECKED]


def test_a_text_that_does_not_fit_is_named(desk: Desk) -> None:
    begin = "tw (X): the text has 281 weighted characters, 1 more than the 280 allowed"
    assert refused(desk, texts=("a", LONG, "b")) == [f"{begin} (text 2 of 3)"]
    assert refused(desk, texts=("a", LONG, LONG[:-1], "y" * 281)) == [
        f"{begin} (text 2 of 4, and 1 more)"
    ]
    assert refused(desk, texts=(LONG, LONG)) == [begin]
    many = refused(desk, texts=tuple("z" * n for n in range(270, 300)))
    assert len(many) == 6
    assert many[0].endswith("(text 12 of 30)")
    assert many[-1] == "tw: 14 more such faults, in other texts"
    threads = refused(desk, texts=("a", f"b\n---\n{LONG}"))
    assert threads == [f"{begin.replace('the text', 'part 2')} (text 2 of 2)"]


def test_the_next_occurrences_are_judged(desk: Desk) -> None:
    edge = "x" * (280 - len("Saturday"))
    (said,) = refused(desk, f"{edge}{{{{weekday}}}}", comment="{{weekday}}")
    assert said.endswith("1 more than the 280 allowed (occurrence 6, 2026-12-02 10:00)")
    assert add(desk, "x" * 271 + "{{weekday}}") == ()


def test_drafts_may_break_limits_but_not_name_what_is_not_there(desk: Desk) -> None:
    draft = Draft(texts=("a", LONG), to=("tw",), draft=True)
    composed = posts.add(desk, draft).composed
    assert composed
    assert composed.notes[0].endswith("(text 2 of 2)")
    with pytest.raises(InvalidInput, match="stands for nothing"):
        posts.add(desk, Draft("{{dat}}", to=("tw",), vars={"x": "1"}, draft=True))
    with pytest.raises(InvalidInput, match="no proper text"):
        posts.add(desk, Draft("a", to=("tw",), vars={"x": "\ud800"}, draft=True))


def test_what_is_said_twice_is_told_at_add_and_found_by_check(desk: Desk) -> None:
    (note,) = add(desk, "The same")
    assert note == (
        "tw (X): the text of this series is said at 2026-11-27 10:00:00 UTC and again at "
        "2026-11-28 10:00:00 UTC, and the same again is refused for about 1 day. "
        "Let it differ, with {{date}} or --texts"
    )
    ((check, message),) = found(desk)
    assert check is Check.EQUAL_TEXT
    assert message == note.partition(". Let")[0]


def test_what_differs_or_comes_later_is_not(desk: Desk) -> None:
    assert add(desk, "On {{date}}") == ()
    assert add(desk, texts=("a", "b")) == ()
    assert add(desk, "Every other day", every=2) == ()
    assert found(desk) == []
    (note,) = add(desk, at="10:00,14:00,18:00", texts=("c", "d"))
    assert "is said at 2026-11-27 10:00:00 UTC and again at 2026-11-27 18:00:00 UTC" in note
    (note,) = add(desk, "e {{n}}", then=(DraftPart("Follow us"),))
    assert "a further part of this series is said at" in note


def test_others_are_compared_by_what_they_will_say(desk: Desk, clock: FakeClock) -> None:
    add(desk, "No. {{n}}", every=3)
    once = posts.add(desk, Draft("No. 1", to=("tw",), at="in 2h")).composed
    assert once
    assert "the text is also that of post 1" in once.notes[0]
    assert posts.add(desk, Draft("No. {{n}}", to=("tw",), at="in 2h", draft=True)).id
    assert [check for check, _ in found(desk)] == [Check.EQUAL_TEXT]


def test_check_knows_what_went_out(desk: Desk, clock: FakeClock) -> None:
    """The series says No. 1, and then somebody else wants to."""
    add(desk, "No. {{n}}", at="09:30", every=3)
    clock.advance(3600)
    (delivery,) = claim(desk)
    publish(desk, delivery)
    note = posts.add(desk, Draft("No. 1", to=("tw",), at="in 2h")).composed
    assert note
    assert "is also that of post 1" in note.notes[0]
    assert "is also that of post 1" in found(desk)[0][1]
