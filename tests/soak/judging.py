"""Whether a soak went well, judged from outside: by ledgers, and by what `list --json` says."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from tests.soak.town import ACCOUNTS, Town
from tests.soak.user import User, label_of, number_in, number_of

TEXT = re.compile(rb"soak-(\d+)-\d+(?:-o(\d+))?")


def faults(town: Town, user: User) -> list[str]:
    """Everything that is wrong."""
    return [
        *user.wrong, *_forgotten(user), *_out(town, user), *_incomplete(town, user),
        *_early(town, user),
    ]  # fmt: skip


def _incomplete(town: Town, user: User) -> Iterator[str]:
    """Of a series that catches up with all, and that nobody changed, every occurrence is out."""
    for number, (accounts, occurrences) in user.whole.items():
        for account in accounts if number in user.accepted else ():
            out = Counter(label_of(seen.text) for seen in town.out(account)
                          if number_in(seen.text) == number
                          and not seen.text.endswith("then"))  # fmt: skip
            if out != Counter(f"{at:%H%M%S}" for at in occurrences):
                yield f"series {number} on {account}: {dict(out)} are out of {occurrences}"
                yield from _evidence(town, user, account, number)


def _forgotten(user: User) -> Iterator[str]:
    """What was accepted is there, once."""
    known = Counter(number_of(post) for post in user.posts())
    for number in sorted(user.accepted - known.keys()):
        yield f"post {number} was accepted and is gone"
    for number, count in known.items():
        if count > 1:
            yield f"post {number} is there {count} times"


def _out(town: Town, user: User) -> Iterator[str]:
    """Each part is out once where postsched says that it is, and nowhere else; nothing is left.

    In which version does not matter: an edit changes only what is not out yet.
    """
    wanted: dict[str, Counter[str]] = defaultdict(Counter)
    for post in user.posts():
        for delivery in post["deliveries"]:
            account, status = delivery["account"], delivery["status"]
            if status not in ("published", "cancelled"):
                yield f"post {post['id']} is {status} on {account} in the end"
            for told in delivery["parts"]:
                if told["status"] == "published":
                    label = user.label(post, delivery)
                    wanted[account][_part(number_of(post), label, told["n"])] += 1
    for account in ACCOUNTS:
        texts = [seen.text for seen in town.out(account)]
        out = Counter(
            _part(number_in(text), label_of(text), 1 + text.endswith("then")) for text in texts
        )
        for text in sorted(out.keys() | wanted[account].keys()):
            if out[text] != wanted[account][text]:
                told = wanted[account][text]
                yield f"{text} is {out[text]} times out on {account}, {told} by postsched"
                yield from _evidence(town, user, account, int(text.split()[1].rstrip(",")))


def _part(number: int, label: str, n: int) -> str:
    """Part n of a post, at an occurrence if it is a series, in whatever version."""
    return f"post {number}, {label and f'at {label}, '}part {n}"


def _evidence(town: Town, user: User, account: str, number: int) -> Iterator[str]:
    """What the network was asked for a post, and every attempt as postsched tells it."""
    server = town.servers[account]
    for request in server.published_requests() if server is not None else ():
        if number in {int(found) for found, _ in TEXT.findall(request.body)}:
            yield f"  request at {datetime.fromtimestamp(request.at / 1e9, UTC)}: {request.body!r}"
    for post in user.posts():
        if number_of(post) == number:
            yield "  " + town.call("show", str(post["id"]), "--json")[1]
            about = re.compile(rf"post {post['id']}\b|SIG|started|fault|deliver|stopped|running")
            yield from (f"  {line}" for line in town.log() if about.search(line))
    yield from (f"  {line}" for line in user.diary if f"soak-{number}-" in line)


def _early(town: Town, user: User) -> Iterator[str]:
    """No request for a post arrived before its instant."""
    told = {
        (number_of(post), delivery["account"]): datetime.fromisoformat(delivery["occurrence"])
        for post in user.posts() for delivery in post["deliveries"]
    }  # fmt: skip
    for account, server in town.servers.items():
        for request in server.published_requests() if server is not None else ():
            for found, label in set(TEXT.findall(request.body)):
                number = int(found)
                due = _floor(user, number, request.at, told.get((number, account)))
                due = _named(label.decode(), due) if label else due
                if request.at < due.timestamp() * 1e9 - 1000:
                    early = due.timestamp() - request.at / 1e9
                    yield f"post {number} reached {account} {early:.6f} s early"


def _named(label: str, first: datetime) -> datetime:
    """The occurrence of a series that a text names, which is no day after its first."""
    at = datetime.combine(first.date(), time.fromisoformat(label), UTC)
    return at if at >= first else at + timedelta(days=1)


def _floor(user: User, number: int, at: int, occurrence: datetime | None) -> datetime:
    """The earliest instant for a request that arrived at `at` (ns)."""
    since, until = user.put_off.get(number, (None, None))
    if since is None or until is None or at < since.timestamp() * 1e9:
        return user.due[number]
    is_so = occurrence is not None and occurrence >= until - timedelta(milliseconds=1)
    return until if is_so else user.due[number]
