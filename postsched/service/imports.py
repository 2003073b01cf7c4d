"""Importing posts as data: all or nothing, in one transaction.

Rows are judged first, while nobody has to wait; those that are new wait in a temporary file. Only
if all are good are they written, in one go. Media are kept while their rows are judged; after an
import that came to nothing they are files that no post names, which a clean-up may remove.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput, NotAllowed, PostschedError
from postsched.domain.when import is_fixed
from postsched.service import posts
from postsched.service.alike import Pattern, Patterns
from postsched.service.compose import Composer, Unfit
from postsched.service.desk import Desk
from postsched.service.drafts import exported
from postsched.service.entries import Entry, Like, New, Waiting
from postsched.service.gist import gist
from postsched.store import bulk, gone, reading
from postsched.store import posts as post_rows
from postsched.store.gone import OWN_KEY
from postsched.transfer.keys import RowKeys, content_digest
from postsched.transfer.rows import Row, RowError, Unjudged

if TYPE_CHECKING:
    from sqlalchemy import Connection

CHUNK = 500
"""Rows that are judged, and written, together; few at first, to learn what they have in common."""
FEW = 8
CHANGED = "the accounts or posts were changed by somebody else meanwhile"


@dataclass(frozen=True, slots=True)
class Bad:
    """What is wrong with a row; `row` counts posts and `line` lines, from 1. Row 0 is the file."""

    file: str
    row: int
    line: int
    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how an import goes on: each thing that is wrong, how many rows of those that are
    to be written are written, and, each once, what accounts do without or get otherwise."""

    bad: Callable[[Bad], None]
    written: Callable[[int, int], None] = lambda done, total: None
    differs: Callable[[str], None] = lambda sentence: None


@dataclass(slots=True)
class Imported:
    """What an import came to. `ids` has the post of each row, known ones too; `stale` is how many
    of the known ones name a time such as "tomorrow 9am", and no key: they may have been meant
    anew. With a `bad` row, nothing was written."""

    added: int = 0
    known: int = 0
    bad: int = 0
    stale: int = 0
    ids: array[int] = field(default_factory=lambda: array("q"))


def run(
    desk: Desk, sources: Sequence[tuple[str, Iterable[Row | Unjudged]]], watch: Watch
) -> Imported:
    """Add the posts of all sources (a name, and its rows).

    Raises StoreUnavailable, and NotAllowed where somebody else was faster; nothing is written then.
    """
    with TemporaryFile("w+", encoding="utf-8") as file:
        waiting = Waiting(file)
        with desk.database.read() as connection:
            judge = _Judge(connection, desk, watch, several=len(sources) > 1)
            for name, rows in sources:
                for entries in judge.entries(name, rows):
                    waiting.put(entries)
        if judge.bad:
            return Imported(bad=judge.bad)
        with desk.database.write() as connection:
            judge.check_unchanged(connection)
            bulk.make_room(connection, waiting.new)
            done = _written(connection, waiting, judge.newest, watch)
    done.stale = judge.stale
    desk.tell()
    return done


@dataclass(slots=True)
class _Keyed:
    """A row that could be read, with its key and the digest of what it says; and the record it was
    found as, and the pattern that follows, if any."""

    row: Row | Unjudged
    at: str | None
    given: bool
    key: str
    digest: str
    record: Mapping[str, Any] | None
    pattern: Pattern | None = None

    @property
    def draft(self) -> Draft:
        """What the row says."""
        draft = self.row.judged().draft
        assert draft is not None
        return draft


class _Judge:
    """Judges rows: bad, known, or new. Accounts and limits are looked up once, keys by the chunk,
    before the time of a row is judged."""

    def __init__(self, connection: Connection, desk: Desk, watch: Watch, *, several: bool) -> None:
        self._connection, self._desk, self._watch = connection, desk, watch
        self._composer = Composer(connection, desk, posts.intake(desk), past_drafts=True)
        self._planner = replace(desk.planner, ability=self._composer.ability)
        self._patterns = Patterns(self._planner)
        self.newest = post_rows.newest(connection)
        self._seen: dict[str, tuple[str, str]] = {}
        self._told: set[str] = set()
        self._several = several
        self.bad = self.stale = 0

    def entries(self, name: str, rows: Iterable[Row | Unjudged]) -> Iterator[list[Entry]]:
        """What the good rows of a source come to, by the chunk."""
        keys, rest, size = RowKeys(), iter(rows), FEW
        while chunk := list(islice(rest, size)):
            size = min(8 * size, CHUNK)
            keyed = [self._keyed(row, keys) for row in chunk]
            known = self._lookup([one for one in keyed if isinstance(one, _Keyed)])
            entries = []
            for one in keyed:
                if isinstance(one, Row):
                    self._complain(name, one, one.errors)
                    continue
                errors, entry = self._entry(one, known)
                if entry is None:
                    self._complain(name, one.row.judged(), errors)
                else:
                    entries.append(entry)
            yield entries

    def _complain(self, name: str, row: Row, errors: Sequence[RowError]) -> None:
        for error in errors:
            self._watch.bad(Bad(name, row.row, row.line, error.field, error.message))
        self.bad += bool(errors)

    def check_unchanged(self, connection: Connection) -> None:
        """Raise NotAllowed if accounts came or went since they were looked up, and if a slot that
        a row was given is taken by now."""
        there = Composer(connection, self._desk, posts.intake(self._desk)).accounts
        if {a.uid for a in there.values()} != {a.uid for a in self._composer.accounts.values()}:
            raise NotAllowed(CHANGED, "Import again")
        self._composer.allotment.check_still_free(connection)

    def _keyed(self, row: Row | Unjudged, keys: RowKeys) -> _Keyed | Row:
        """A row with its key, or one that is bad."""
        record = row.found.record if isinstance(row, Unjudged) and not row.found.errors else None
        if record is not None and (pattern := self._patterns.of(record)):
            given, digest = record.get("key"), pattern.digest(record)
            key = given or keys.next(digest)
            return _Keyed(row, record["at"], bool(given), key, digest.hex(), record, pattern)
        judged = row.judged()
        if (draft := judged.draft) is None:
            return judged
        digest, given = content_digest(draft), bool(draft.key)
        return _Keyed(judged, draft.at, given, keys.key(draft, digest), digest.hex(), record)

    def _lookup(self, rows: Sequence[_Keyed]) -> dict[str, _Known]:
        return _known(self._connection, self._desk, rows) if self.newest and rows else {}

    def _entry(
        self, one: _Keyed, known: dict[str, _Known]
    ) -> tuple[Sequence[RowError], Entry | None]:
        try:
            return (), self._known_entry(one, known) or self._new(one)
        except Unfit as unfit:
            return [RowError(finding.field, finding.message) for finding in unfit.findings], None
        except PostschedError as error:
            return [RowError(error.field, str(error))], None

    def _known_entry(self, one: _Keyed, known: dict[str, _Known]) -> Entry | None:
        """The post that has the row's key: one that is there, or one of an earlier row."""
        if one.key in known:
            there = known[one.key]
            if not there.says(one):
                raise posts.key_taken(one.key, there.id)
            self.stale += bool(one.at and not one.given and not is_fixed(one.at))
            return there.id
        if one.key not in self._seen:
            return None
        digest, uid = self._seen[one.key]
        if digest != one.digest:
            error = InvalidInput(f"an earlier row has the key {one.key!r} and says something else")
            error.field = "key"
            raise error
        return uid

    def _new(self, one: _Keyed) -> New | Like:
        posts.check_key(one.key)
        new = self._like(one) or self._judged(one)
        if one.given or self._several:  # else each row of a source has a key of its own
            self._seen[one.key] = one.digest, new.uid
        return new

    def _like(self, one: _Keyed) -> Like | None:
        """The post of a row that follows a pattern, unless its time needs a closer look."""
        if one.pattern is None or one.record is None:
            return None
        text, at = one.record["text"], one.record["at"]
        own = one.pattern.own(text, at, one.key, one.digest, self._desk.now())
        return Like(one.pattern.mould, own) if own else None

    def _judged(self, one: _Keyed) -> New:
        draft = one.draft
        composed = self._composer.compose(draft)
        for sentence in composed.differing:
            if sentence not in self._told:  # many posts may have the same
                self._told.add(sentence)
                self._watch.differs(sentence)
        post = posts.new_post(composed, self._desk.now(), one.key)
        planned = posts.planned_for(self._desk, post, composed, composed.accounts, self._planner)
        account_ids = [account.id for account in composed.accounts]
        packed = bulk.pack(post, one.digest, composed.schedule, account_ids, planned)
        if one.record is not None:
            self._patterns.learn(one.record, draft, composed, post, packed)
        return New(one.key, one.digest, post.uid, packed)


@dataclass(slots=True)
class _Known:
    """A post that has a key already: what was written with the key, and, where that is needed,
    what the post says now."""

    id: int
    digest: str | None
    gist: bytes | None = None

    def says(self, one: _Keyed) -> bool:
        """Whether a row says the same."""
        return self.digest == one.digest or self.gist == gist(one.draft)


def _known(connection: Connection, desk: Desk, rows: Sequence[_Keyed]) -> dict[str, _Known]:
    """The posts that have the rows' keys already, by key. A key made by an export names its post
    by uid."""
    found = {
        key: _Known(*there)
        for key, there in post_rows.by_keys(connection, [one.key for one in rows]).items()
    }
    uids = [one.key.removeprefix(OWN_KEY) for one in rows if one.key.startswith(OWN_KEY)]
    if uids:
        for uid, post_id in post_rows.by_uids(connection, uids).items():
            found.setdefault(OWN_KEY + uid, _Known(post_id, None))
    doubtful = [
        found[one.key] for one in rows if one.key in found and found[one.key].digest != one.digest
    ]
    left = gone.by_keys(connection, [one.key for one in rows if one.key not in found])
    found |= {key: _Known(one.post_id, one.digest, one.gist) for key, one in left.items()}
    filed = reading.file_posts(connection, [known.id for known in doubtful]) if doubtful else []
    folder, now = desk.settings.media_folder, desk.now()
    gists = {one.post.id: gist(exported(one, folder, now)) for one in filed}
    for known in doubtful:
        known.gist = gists[known.id]
    return found


def _written(connection: Connection, waiting: Waiting, newest: int, watch: Watch) -> Imported:
    done = Imported()
    meanwhile = post_rows.keys_since(connection, newest)
    for entries in waiting.chunks():
        new = [entry for entry in entries if isinstance(entry, New)]
        if any(entry.key in meanwhile for entry in new):
            raise NotAllowed(CHANGED, "Import again")
        fresh = iter(bulk.write(connection, [entry.packed for entry in new]))
        uids = [entry for entry in entries if isinstance(entry, str)]
        earlier = post_rows.by_uids(connection, uids) if uids else {}
        for entry in entries:
            if isinstance(entry, int):
                done.ids.append(entry)
            else:
                done.ids.append(earlier[entry] if isinstance(entry, str) else next(fresh))
        done.added += len(new)
        done.known += len(entries) - len(new)
        watch.written(done.added, waiting.new)
    return done
