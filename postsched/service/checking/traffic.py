"""What goes to an account in the course of time: too much of it, or the same twice.

Deliveries are told in the order of their instants, those that are out first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from postsched.domain.duration import distance, format_duration
from postsched.domain.post import Content, Part
from postsched.domain.quota import Window, cost
from postsched.domain.repetition import Memory, texts
from postsched.service.checking.accounts import Known
from postsched.service.checking.content import change
from postsched.service.checking.finding import Check, Fault
from postsched.service.renditions import Rendition
from postsched.service.repetition import LET_DIFFER, in_series, said_again, said_before


class Traffic:
    """All that goes to one account."""

    def __init__(self, known: Known, zone: ZoneInfo) -> None:
        self._known, self._zone = known, zone
        self._windows = [Window(quota) for quota in known.quotas]
        self._span = (known.can and known.can.refuses_equal) or timedelta(0)
        self._memory = Memory(self._span)
        self._last: tuple[datetime, int] | None = None
        """When the last one goes out, and of which post it is."""

    def is_out(self, content: Content, at: datetime, post_id: int) -> None:
        """That went out."""
        self._last = max(self._last or (at, post_id), (at, post_id))
        parts = self._parts(content)
        for window in self._windows:
            window.take(at, _cost(window, content, parts))
        for _, text in self._texts(content):
            self._memory.note(text, at, post_id)

    def faults(self, content: Content, at: datetime, post_id: int) -> Iterator[Fault]:
        """What keeps it from going out at its time, after all that was told before."""
        parts = self._parts(content)
        for window in self._windows:
            amount = _cost(window, content, parts)
            if not window.fits(at, amount):
                yield self._too_much(window, amount, post_id)
        yield from self._too_close(at, post_id)
        for field, text in self._texts(content):
            if before := self._memory.meet(text, at, post_id):
                yield self._equal(field, before, post_id)

    def _too_close(self, at: datetime, post_id: int) -> Iterator[Fault]:
        """Whether it has to wait, for the account's posts are to be apart."""
        before, spacing = self._last, self._known.spacing
        free = before[0] + spacing if before else at
        self._last = (max(at, free), post_id)
        if before and at < free:
            message = (
                f"{self._known.who}: it is too close to post {before[1]}, and its posts are "
                f"{format_duration(spacing)} apart at least (min_spacing): it will wait until "
                f"{_time(free, self._zone)}"
            )
            hint = f"Move it: postsched edit {post_id} --at WHEN; or set another min_spacing"
            yield Fault(Check.SPACING, message, hint, "at")

    def repeats(self, said: Sequence[Rendition], post_id: int) -> Iterator[Fault]:
        """What a series will say too soon after it has said it."""
        if not self._span or self._known.can is None:
            return
        if again := in_series(said, self._known.account, self._known.can):
            message = f"{self._known.who}: {said_again(again, self._span, self._zone)}"
            yield Fault(Check.EQUAL_TEXT, message, LET_DIFFER, again[0])

    def _texts(self, content: Content) -> list[tuple[str, str]]:
        if not self._span or self._known.can is None:
            return []
        return texts(content, self._known.account.name, self._known.can)

    def _parts(self, content: Content) -> tuple[Part, ...]:
        return content.parts(self._known.account.name) if self._windows else ()

    def _too_much(self, window: Window, amount: int, post_id: int) -> Fault:
        quota, room = window.quota, window.room_for(amount)
        per = distance(quota.per).removeprefix("in ")
        most = f"{quota.count:,} {quota.what} in {per} are the most"
        otherwise = (
            f"if yours is another quota, set rate in [platforms.{self._known.account.platform}]"
        )
        if room is None:
            message = f"{self._known.who}: it is {amount:,} {quota.what}, and {most}"
            return Fault(Check.QUOTA, message, f"Make it shorter; {otherwise}")
        until = f"there is no room for it before {_time(room, self._zone)}"
        hint = f"Move it: postsched edit {post_id} --at WHEN; {otherwise}"
        return Fault(Check.QUOTA, f"{self._known.who}: {most}, and {until}", hint, "at")

    def _equal(self, field: str, before: tuple[datetime, int], post_id: int) -> Fault:
        said = said_before(field, before, post_id, self._span, self._zone)
        return Fault(Check.EQUAL_TEXT, f"{self._known.who}: {said}", change(post_id), field)


def _cost(window: Window, content: Content, parts: tuple[Part, ...]) -> int:
    return cost(window.quota.what, parts, comment=content.comment is not None)


def _time(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
