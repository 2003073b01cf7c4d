"""What deliveries came to while an engine ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postsched.cli.watching import LOUD

if TYPE_CHECKING:
    from postsched.domain.delivery import Delivery
    from postsched.store.queue import Work


class Tally:
    """Counts what deliveries came to; called by the engine with a word and a work at each event.
    `keep` keeps the deliveries too, for a run that is short."""

    COUNTED = ("published", "failed", "retrying", "confirming", "unconfirmed", "missed")

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self._kept: dict[int, Delivery] = {}
        self._published = 0
        self._not_out: dict[int, str] = {}
        self._need_a_hand: set[int] = set()

    def __call__(self, word: str, work: Work) -> None:
        if word == "sending":
            return
        delivery = work.delivery
        if self._keep:
            self._kept[delivery.id] = delivery
        self._not_out.pop(delivery.id, None)
        self._need_a_hand.discard(delivery.id)
        status = delivery.status.value
        if status == "published":
            self._published += 1
            return
        self._not_out[delivery.id] = status
        expected = status == "missed" and work.post.missed.value != "ask"
        if status in LOUD and not expected:
            self._need_a_hand.add(delivery.id)

    def count(self, word: str) -> int:
        """How many deliveries ended up so."""
        if word == "published":
            return self._published
        return sum(status == word for status in self._not_out.values())

    @property
    def failed(self) -> bool:
        """Whether something needs a person."""
        return bool(self._need_a_hand)

    def document(self) -> dict[str, Any]:
        """The JSON of publish-due."""
        from postsched.transfer.documents import delivery_document

        counts = {word: self.count(word) for word in self.COUNTED}
        return {**counts, "deliveries": [delivery_document(one) for one in self._kept.values()]}

    def sentence(self) -> str:
        """The same in words; empty if nothing happened."""
        counts = [(self.count(word), word) for word in self.COUNTED]
        return ", ".join(f"{count} {word}" for count, word in counts if count)
