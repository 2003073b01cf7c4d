"""How far the uploads have got, for whoever watches: kept in memory only, and only then.

Written in the event loop, read by the thread that draws: an `Amount` is replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from postsched.domain.post import Media


class Amount(NamedTuple):
    """Bytes that have left, and bytes that are to leave."""

    sent: int
    total: int


class Upload:
    """All that one call of an adapter uploads, whether in one request or in many pieces. To be
    called with the bytes that have left of a request's body, and with its size: 0 at first."""

    def __init__(self) -> None:
        self.amount: Amount | None = None
        self._expected = self._before = self._size = 0

    def restart(self) -> None:
        """The call is made again, from its beginning."""
        self._before = self._size = 0
        self.amount = None

    def expect(self, size: int) -> None:
        """So many bytes are to be uploaded, as far as is known: the sizes of the files."""
        self._expected = size

    def __call__(self, sent: int, size: int) -> None:
        if not sent:  # another body begins
            self._before += self._size
            self._size = size
        self.amount = Amount(self._before + sent, max(self._expected, self._before + size))


class Uploads:
    """The uploads under way, by the id of their delivery; none unless they are `watched`."""

    def __init__(self) -> None:
        self.watched = False
        self._under_way: dict[int, Upload] = {}

    def under_way(self, delivery_id: int) -> Upload | None:
        """What is to be told of a file that goes elsewhere for that delivery: to a media host."""
        return self._under_way.get(delivery_id)

    @property
    def any(self) -> bool:
        """Whether there is anything to be seen."""
        return bool(self._under_way) and bool(self.amounts())

    def amounts(self) -> dict[int, Amount]:
        """How far each has got."""
        under_way = [*self._under_way.items()]
        return {number: upload.amount for number, upload in under_way if upload.amount}

    @contextmanager
    def of(self, delivery_id: int) -> Iterator[Upload]:
        """What a call for that delivery uploads, to be seen until the call is over."""
        upload = Upload()
        if not self.watched:
            yield upload
            return
        self._under_way[delivery_id] = upload
        try:
            yield upload
        finally:
            del self._under_way[delivery_id]


def size_of(media: Iterable[Media]) -> int:
    """Bytes of the files; not of what the network fetches itself."""
    return sum(medium.bytes or 0 for medium in media if medium.url is None)
