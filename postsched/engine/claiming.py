"""What a worker wants to claim, and the claiming itself: shared out, so that nothing that hangs
keeps anything else from its turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from postsched.domain.delivery import Claim
from postsched.engine.hands import Room
from postsched.store import holds, lanes, queue
from postsched.store.lanes import Lane
from postsched.store.outlook import Look

SWEEP = 500
"""How many deliveries past their grace are taken out of the queue in one turn, at the most."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to claim: what is due at `upto`, as much as there is `room` for, and what is to be
    prepared, as much as there is room for in `preparing`; for the accounts in `open`. The accounts
    of lanes due until `meeting` are to be introduced, but for those in `settled`. `mine` is what is
    in hand, as delivery and token."""

    now: datetime
    upto: datetime
    room: Room
    preparing: Room
    open: frozenset[int]
    settled: frozenset[int]
    meeting: datetime
    mine: frozenset[tuple[int, str]]

    def due(self, look: Look) -> list[Lane]:
        """The lanes to claim from."""
        return [
            lane for lane in look.lanes
            if lane.claimable_at(self.upto - self.now) <= self.now and lane.account_id in self.open
        ]  # fmt: skip

    def to_prepare(self, look: Look) -> dict[str, list[int]]:
        """The accounts that have something to prepare, what is first to come first, by platform:
        those for which there is room."""
        found: dict[str, list[int]] = {}
        for one in sorted(look.unprepared, key=lambda one: one.at):
            if one.at <= self.now and one.account_id in self.open:
                found.setdefault(one.platform, []).append(one.account_id)
        return {name: ids for name, ids in found.items() if self.preparing.on(name) > 0}


def accounts_to_claim(look: Look, wish: Wish) -> list[int]:
    """The accounts that `claim_due` would take anything from."""
    return list({lane.account_id for lane in _shares(look, wish)})


def claim_due(
    connection: Connection, look: Look, wish: Wish, held: Claim
) -> tuple[list[int], list[int]]:
    """Take what is due, lane by lane. Returns what is held now, and what turned out to be past its
    grace and is missed: ids of deliveries."""
    taken: list[int] = []
    late: list[int] = []
    for lane, share in _shares(look, wish).items():
        if lane.trial is not None and not holds.take_trial(connection, lane.trial, wish.now):
            continue
        while share > 0 and len(late) < SWEEP:
            got, missed = queue.claim(connection, lane, share, wish.upto, wish.now, held)
            taken += got
            late += missed
            share -= len(got)
            if not missed:
                break
    return taken, late


def _shares(look: Look, wish: Wish) -> dict[Lane, int]:
    """How many to take from each lane that is due."""
    due = wish.due(look)
    hands = {lane.platform: wish.room.on(lane.platform) for lane in due}
    return lanes.share_out(due, hands, wish.room.total)


def claim_to_prepare(connection: Connection, look: Look, wish: Wish, held: Claim) -> list[int]:
    """Take what is to be prepared. The accounts of a platform share its room; what one has no use
    for is left to the next. Returns the ids of the deliveries."""
    taken: list[int] = []
    for platform, ready in wish.to_prepare(look).items():
        room = wish.preparing.on(platform)
        for place, account_id in enumerate(ready):
            share = -(-room // (len(ready) - place))
            got = queue.claim_to_prepare(connection, [account_id], share, wish.now, held)
            taken += got
            room -= len(got)
    return taken
