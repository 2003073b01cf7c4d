"""Web addresses in a text as X finds them: with a scheme, or without one where the domain ends in
a top-level domain that exists (twitter-text 3, `extractUrlsWithIndices`).

Every such address counts the same, whatever its length. The domains at the top change: one that
X may not know yet, or may know still, makes a link that is not `sure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from postsched.domain.toplevel import CHANGED, top_at

LONGEST = 4096
"""Characters of an address, with its scheme; what is longer is none."""
LONGEST_SLUG = 40
"""Characters of the path of a t.co address."""
LONGEST_LABEL = 63
CLINGING = ("-", "_", ".", "/")
"""Signs after which an address without a scheme is none."""
_LATIN = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268"
    "\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_NO_LABEL = (
    r"\s!\"#$%&'()*+,/:;<=>?@\[\\\]^`{|}~\u0085\u00a0\u061c\u1680\u180e\u2000-\u200a\u200e\u200f"
    r"\u2028-\u202f\u205f\u2066-\u2069\u3000\ufeff\ufffe\uffff"
)
"""What never stands in a domain: spaces, punctuation, marks of direction."""
_RUN = re.compile(f"[^{_NO_LABEL}]+")
_PUNCTUATION = re.compile("[\u2010-\u2027\u2030-\u205e]")
_NOT_BEFORE = re.compile("[A-Za-z0-9@＠$#＃\ufffe\ufeff\uffff]")
_SCHEME = re.compile(r"https?://\Z", re.I)
_LATIN_END = re.compile(rf"[-A-Za-z0-9{_LATIN}]+\Z")
_PORT = re.compile(":[0-9]+")
_LETTERS = rf"a-zA-Z0-9\u0400-\u04ff{_LATIN}"
_PATH = rf"[{_LETTERS}!*';:=+,.$/%#\[\]\-\u2013_~@|&]"
_PATH_PIECE = re.compile(rf"({_PATH}+)|\((?:{_PATH}+|{_PATH}*\({_PATH}+\){_PATH}*)\)")
_PATH_LAST = re.compile(rf"[{_LETTERS}+\-=_#/](?=[^{_LETTERS}+\-=_#/]*\Z)")
_QUERY = re.compile(r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[A-Za-z0-9\-_&=#/]")
_TCO = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:{_QUERY.pattern})?", re.I)


@dataclass(frozen=True, slots=True)
class Link:
    """An address: where it is in the text, and whether X surely takes it for one."""

    start: int
    end: int
    sure: bool = True


def links(text: str) -> Iterator[Link]:
    """The addresses in a text in normal form C, from left to right."""
    end = at = 0
    while run := _RUN.search(text, at):
        at = run.end()
        if "." in run[0]:
            for found in _Run(text, run.start(), run[0]).addresses(end):
                yield from found.links()
                end = found.end
        at = max(at, end)


@dataclass(frozen=True, slots=True)
class _Found:
    """A domain with what belongs to it: from `start` (with its scheme, if it has one) to `end`.
    Without a scheme, port and query belong to it only if it has a path."""

    text: str
    start: int
    domain: int
    domain_end: int
    end: int
    has_path: bool

    def links(self) -> Iterator[Link]:
        """The links it makes: one if it has a scheme; else one for each domain in Latin letters,
        unless it follows something that it can't follow."""
        host = self.text[self.domain : self.domain_end]
        if not all(0 < len(label) <= LONGEST_LABEL for label in host.split(".")):
            return
        longer, sure = _encoded(host)
        if self.start < self.domain:
            yield from self._with_scheme(longer, sure)
        elif self.text[max(0, self.start - 1) : self.start] not in CLINGING:
            spans = list(self._latin())
            for n, (start, end) in enumerate(spans, 1):
                stop = self.end if n == len(spans) and self.has_path else end
                if len("https://") + stop - start + longer <= LONGEST:
                    yield Link(start, stop, sure and self._is_known(start, end))

    def _with_scheme(self, longer: int, sure: bool) -> Iterator[Link]:
        end = self.end
        if tco := _TCO.match(self.text, self.start, self.end):
            if len(tco[1]) > LONGEST_SLUG:
                return
            end = tco.end()
        if end - self.start + longer <= LONGEST:
            yield Link(self.start, end, sure and self._is_known(self.domain, self.domain_end))

    def _is_known(self, start: int, end: int) -> bool:
        return self.text[start:end].rpartition(".")[2].lower() not in CHANGED

    def _latin(self) -> Iterator[tuple[int, int]]:
        """Where the domains in Latin letters are: beside other scripts, only they are linked."""
        start: int | None = None
        end = at = self.domain
        labels = self.text[self.domain : self.domain_end].split(".")
        for label in labels[:-1]:
            last = _LATIN_END.search(label)
            if start is None or last is None or last[0] != label:
                if start is not None and end > start:
                    yield start, end
                start = at + last.start() if last else None
            at += len(label) + 1
            if start is not None and (top := top_at(self.text, at)):
                end = min(top, self.domain_end)
        if start is not None and end > start:
            yield start, end


class _Run:
    """A piece of text that could be a domain, or several: labels with dots between them."""

    def __init__(self, text: str, start: int, run: str) -> None:
        self._text = text
        self._labels = run.split(".")
        self._starts = [start]
        for label in self._labels[:-1]:
            self._starts.append(self._starts[-1] + len(label) + 1)
        self._tops = [None, *(top_at(text, at) for at in self._starts[1:])]
        self._reach = self._reached()

    def _reached(self) -> list[int | None]:
        """For each label the end of the longest domain that begins with it as a whole."""
        reach: list[int | None] = [None] * (len(self._labels) + 1)
        for n in range(len(self._labels) - 2, -1, -1):
            label = self._labels[n]
            if _is_label(label):
                top = None if "_" in label else self._tops[n + 1]
                reach[n] = reach[n + 1] or top
        return reach

    def addresses(self, floor: int) -> Iterator[_Found]:
        """The addresses that begin in it, from left to right. What is before `floor` belongs to
        an earlier one."""
        start, n = self._starts[0], 0
        scheme = _SCHEME.search(self._text, max(floor, start - len("https://")), start)
        if scheme and self._reach[0] and self._may_begin(scheme.start(), floor):
            found = self._whole(scheme.start(), start, self._reach[0])
            yield found
            floor = found.end
        while n < len(self._labels) - 1:
            at, end = self._first_in(n, floor)
            if end is None:
                n += 1
                continue
            found = self._whole(at, at, end)
            yield found
            floor = found.end
            while n + 1 < len(self._starts) and self._starts[n + 1] <= floor:
                n += 1

    def _first_in(self, n: int, floor: int) -> tuple[int, int | None]:
        """The first place in a label where a domain begins, and where that ends."""
        label, start = self._labels[n], self._starts[n]
        beyond, top = self._reach[n + 1], self._tops[n + 1]
        if (beyond or top) and not label.endswith(("-", "_")):
            # As the last before the top-level domain a label has no `_`.
            first = start if beyond else start + label.rfind("_") + 1
            places = list(range(max(first, floor), start + len(label)))
            if places[:2] == [0, 1]:  # at the start of a text X tries the second character first
                places[:2] = [1, 0]
            for at in places:
                if self._text[at] not in "-_" and self._may_begin(at, floor):
                    return at, beyond or top
        return start, None

    def _may_begin(self, at: int, floor: int) -> bool:
        return at == 0 or (at > floor and not _NOT_BEFORE.match(self._text, at - 1))

    def _whole(self, start: int, domain: int, end: int) -> _Found:
        """The address with its port, path and query."""
        text, stop = self._text, end
        if port := _PORT.match(text, stop):
            stop = port.end()
        has_path = text.startswith("/", stop)
        if has_path:
            stop = _path_end(text, stop + 1)
        if query := _QUERY.match(text, stop):
            stop = query.end()
        return _Found(text, start, domain, end, stop, has_path)


def _encoded(host: str) -> tuple[int, bool]:
    """By how much a host is longer in Punycode, and whether X surely takes it for one."""
    if host.isascii():
        return 0, True
    try:
        encoded = host.encode("idna")
    except UnicodeError:
        return 0, False
    return len(encoded) - len(host), not _PUNCTUATION.search(host)


def _is_label(label: str) -> bool:
    return bool(label) and not label.startswith(("-", "_")) and not label.endswith(("-", "_"))


def _path_end(text: str, at: int) -> int:
    """Where the path ends that goes on there: at the last sign that can be its last, and after
    parentheses that follow one."""
    end = at
    while piece := _PATH_PIECE.match(text, at):
        if piece[1] is None:
            end = piece.end() if end == at else end
        elif last := _PATH_LAST.search(piece[0]):
            end = at + last.end()
        at = piece.end()
    return end
