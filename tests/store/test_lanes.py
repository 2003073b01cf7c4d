"""How hands are shared out among the lanes of the queue."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from postsched.store import lanes, queue
from postsched.store.database import Database
from postsched.store.lanes import Lane, share_out
from tests.store import rows
from tests.store.rows import NOON, SOON, claim_of

LANES = st.lists(
    st.builds(
        Lane,
        st.integers(1, 50),
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 2),
        st.just(NOON),
    ),
    max_size=12,
    unique_by=lambda lane: (lane.account_id, lane.priority),
)


class TestSharing:
    """Hands are shared out in turn, so that no account stands in another's way."""

    @given(LANES, st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 9)),
           st.integers(0, 20))  # fmt: skip
    def test_never_more_than_there_are_and_never_fewer(
        self, lanes: list[Lane], hands: dict[str, int], total: int
    ) -> None:
        shares = share_out(lanes, hands, total)
        used = Counter[str]()
        for lane, share in shares.items():
            assert share > 0
            used[lane.platform] += share
        assert all(used[name] <= hands.get(name, 0) for name in used)
        wanted = sum(hands.get(name, 0) for name in {lane.platform for lane in lanes})
        assert used.total() == min(total, wanted)

    @given(LANES, st.integers(0, 9), st.integers(0, 20))
    def test_equals_differ_by_one_at_the_most(
        self, lanes: list[Lane], hands: int, total: int
    ) -> None:
        lanes = [replace(lane, platform="a", priority=0) for lane in lanes]
        lanes = list({lane.account_id: lane for lane in lanes}.values())
        shares = share_out(lanes, {"a": hands}, total)
        counts = [shares.get(lane, 0) for lane in lanes]
        assert not counts or max(counts) - min(counts) <= 1

    @given(LANES, st.integers(1, 9), st.integers(1, 20))
    def test_the_higher_priority_first(self, lanes: list[Lane], hands: int, total: int) -> None:
        lanes = [replace(lane, platform="a") for lane in lanes]
        shares = share_out(lanes, {"a": hands}, total)
        if lanes:
            top = max(lane.priority for lane in lanes)
            given_to = {lane.priority for lane in shares}
            assert top in given_to

    def test_a_long_backlog_does_not_stand_in_the_way(self, database: Database) -> None:
        with database.write() as connection:
            one, two = rows.account(connection, "one"), rows.account(connection, "two")
            for number in range(50):
                rows.post(connection, "x", [one], NOON + timedelta(seconds=number))
            (late,) = rows.post(connection, "y", [two], NOON + timedelta(seconds=60))
            found = lanes.waiting_lanes(connection)
            shares = share_out(found, {"fake": 4}, 4)
            taken = [
                found
                for lane, share in shares.items()
                for found in queue.claim(connection, lane, share, SOON, NOON, claim_of())[0]
            ]
        assert late in taken
