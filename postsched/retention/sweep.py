"""Goes through what is old, from the oldest on, and lets it leave in small steps.

A step has two halves. The first reads what is to leave, and appends it to the archive: it blocks
nobody, and changes nothing in the database. The second is one short transaction: it looks again,
and removes what is still as it was archived. Whatever ends in between is begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from postsched.domain.errors import PostschedError
from postsched.domain.post import Post
from postsched.domain.schedule import Schedule
from postsched.retention.archive import Archive
from postsched.retention.lines import lines, month_of, written
from postsched.retention.policy import Policy, looks_back, policy_of
from postsched.store import answers, gone, retention, sessions
from postsched.store.gone import Gone
from postsched.store.leaving import Bounds, Leaving, judge
from postsched.store.retention import Entry, Progress

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.store.database import Database

STEP = 100
"""About how many rows leave in one transaction: a few milliseconds."""
PAGE = 500
"""How many entries of the index are read at once."""
TOGETHER = 50
"""How many posts are judged at once."""
EVERY = timedelta(days=1)
"""How long it rests once all that is old has left."""


Gist = Callable[[Post, Schedule], bytes]
"""What tells a post by what it says, so that its own export is known when it comes back."""


@dataclass(slots=True)
class Tally:
    """What has left: whole posts, and deliveries, `wanting` of which had failed or were missed.
    `files` are the SHA-256 of media files that posts among them named."""

    posts: int = 0
    deliveries: int = 0
    wanting: int = 0
    files: set[str] = field(default_factory=set)

    def add(self, leaving: Sequence[Leaving]) -> None:
        """Count what leaves."""
        self.posts += sum(one.whole for one in leaving)
        self.deliveries += sum(len(one.deliveries) for one in leaving)
        self.wanting += sum(one.wanting for one in leaving)

    def take_in(self, other: Tally) -> None:
        """Count what another one has counted."""
        self.posts += other.posts
        self.deliveries += other.deliveries
        self.wanting += other.wanting
        self.files |= other.files


@dataclass(frozen=True, slots=True)
class Step:
    """What is archived, and is to leave; `wanted` are the posts and deliveries by which it was
    found. `notes` are what stays known of the posts, by their keys. It has come up to `upto`."""

    wanted: Mapping[int, Sequence[int]]
    leaving: Sequence[Leaving]
    notes: Sequence[tuple[Gone, str]]
    upto: Entry | None


class Sweep:
    """One walk through what is old, about `most` rows a step. `gist` tells posts by what they say.
    Instants are UTC."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        now: Callable[[], datetime],
        policy: Policy | None = None,
        gist: Gist | None = None,
        most: int = STEP,
    ) -> None:
        self._database = database
        self._settings = settings
        self._now = now
        self.policy = policy or policy_of(settings)
        self._gist = gist
        self._most = most
        self._bounds: Bounds | None = None
        self._upto: Entry | None = None
        self._looked: int | None = 0

    def begin(self, *, anew: bool = False) -> bool:
        """Whether there is anything to go through; one or two cheap reads. `anew`: also where that
        was done a short while ago, and from the beginning. Raises StoreUnavailable."""
        if self.policy.why_not is not None:
            return False
        now = self._now()
        with self._database.read() as connection:
            oldest = retention.oldest(connection)
            if oldest is None or self.policy.keep is None or oldest >= now - self.policy.keep:
                return False
            made = Progress() if anew else retention.progress(connection)
            if made.done_at is not None and made.done_at <= now < made.done_at + EVERY:
                return False
            self._bounds = self.policy.bounds(now, looks_back(connection, self._settings))
        self._upto, self._looked = made.upto, 0
        return self._bounds is not None

    def take(self, *, dry: bool = False) -> Step | None:
        """The next step, which is in the archive when this returns (`dry`: which is only looked
        at); None at the end. What can't leave is passed over. Raises StoreUnavailable."""
        assert self._bounds is not None, "begin comes first"
        with self._database.read() as connection:
            step = self._find(connection, self._bounds)
            if step is None or dry or not step.leaving:
                return step
            posts = written(connection, step.leaving)
            archived = lines(connection, step.leaving, posts, self._now())
        if self.policy.archives and self.policy.folder is not None:
            Archive(self.policy.folder).append(archived)
        notes = [
            (self._noted(one, *posts[one.post_id]), one.key) for one in step.leaving if one.whole
        ]
        return replace(step, notes=notes)

    def leave(self, connection: Connection, step: Step) -> Tally:
        """Remove what was archived and is still as it was, in the caller's transaction."""
        assert self._bounds is not None, "begin comes first"
        again = set(judge(connection, step.wanted, self._bounds, is_over))
        leaving = [one for one in step.leaving if one in again]
        going = {one.post_id for one in leaving if one.whole}
        left = Tally()
        left.add(leaving)
        left.files = retention.remove(connection, leaving)
        gone.note(connection, [note for note in step.notes if note[0].post_id in going])
        self.pause(connection)
        return left

    def pause(self, connection: Connection) -> None:
        """Note how far it has come, for whoever goes on."""
        retention.note_progress(connection, Progress(None, self._upto))

    def end(self, connection: Connection) -> None:
        """Note that it came to the end. What callers were told, and who had signed in, goes with
        it once it is over."""
        retention.note_progress(connection, Progress(self._now()))
        answers.forget(connection, self._now())
        sessions.forget(connection, self._now())

    def _find(self, connection: Connection, bounds: Bounds) -> Step | None:
        """The next that leaves: of one page of the index at the most, and not many more rows
        than `most`. At the end of that, what has no deliveries."""
        entries = retention.page(connection, bounds.over, self._upto, PAGE)
        if not entries:
            return self._find_bare(connection, bounds)
        leaving: list[Leaving] = []
        named: dict[int, list[int]] = {}
        for start in range(0, len(entries), TOGETHER):
            together = entries[start : start + TOGETHER]
            wanted: dict[int, list[int]] = {}
            for entry in together:
                wanted.setdefault(entry.post_id, []).append(entry.id)
            if not named.keys().isdisjoint(wanted):
                break  # a post is judged once in a step
            found = judge(connection, wanted, bounds, is_over)
            found = [one for one in found if not one.whole or one.last in wanted[one.post_id]]
            leaving += found
            named |= {one.post_id: wanted[one.post_id] for one in found}
            self._upto = together[-1]
            if sum(one.rows for one in leaving) >= self._most:
                break
        return Step(named, leaving, (), self._upto)

    def _find_bare(self, connection: Connection, bounds: Bounds) -> Step | None:
        """The next posts that have no deliveries."""
        if self._looked is None:
            return None
        found = retention.bare(connection, bounds.over, self._looked, PAGE, self._most)
        self._looked = found.upto
        if not found.ids and found.upto is None:
            return None
        wanted: dict[int, list[int]] = {post_id: [] for post_id in found.ids}
        return Step(wanted, judge(connection, wanted, bounds, is_over), (), self._upto)

    def _noted(self, leaving: Leaving, post: Post, schedule: Schedule) -> Gone:
        """What stays known of a post."""
        month = month_of(leaving) if self.policy.archives else None
        gist = self._gist(post, schedule) if self._gist else None
        return Gone(leaving.post_id, leaving.digest, gist, month)


def is_over(schedule: Schedule, after: datetime) -> bool:
    """Whether a schedule names nothing after that instant; no, where that can't be told."""
    from postsched.domain.recurrence import next_occurrence

    try:
        return next_occurrence(schedule, after) is None
    except PostschedError:  # a zone that is not known here
        return False
