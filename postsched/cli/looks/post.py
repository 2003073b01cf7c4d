"""A step of a post as a network would show it: name, text, media, link card, counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from postsched.cli.looks.frame import Canvas, safe
from postsched.cli.looks.look import Look
from postsched.cli.screen import cut, fold
from postsched.domain.account import Account
from postsched.domain.delivery import Role
from postsched.domain.post import Media
from postsched.platforms.wording import CardBy, Mark, Wording
from postsched.service.previewing import AccountPreview, Fate, Shown, Step

OVER = "bold red"
SIGNS = {Fate.AS_IS: "✓", Fate.FITTED: "↻", Fate.REFUSED: "✗", Fate.FETCHED: "↗"}
FATE_STYLES = {Fate.AS_IS: "green", Fate.FITTED: "yellow", Fate.REFUSED: OVER, Fate.FETCHED: "cyan"}
INDENT = 4
MOST_LINES, LAST_LINES = 40, 8
"""Lines of a text that are shown, and how many of them are its last."""
KINDS = {"image/jpeg": "JPEG", "image/svg+xml": "SVG", "video/quicktime": "MOV"}


@dataclass(frozen=True, slots=True)
class PostPage:
    """Draws what one account gets."""

    shown: AccountPreview
    look: Look
    canvas: Canvas

    def lines(self) -> Iterator[Text]:
        """All steps, the parts of a thread joined by a line."""
        last = len(self.shown.steps) - 1
        for index, step in enumerate(self.shown.steps):
            joined = self.look.thread and index < last
            yield from self._step(step, joined=joined)
            if index < last:
                yield Text(" │" if joined else "", self.look.colour)

    @property
    def _room(self) -> int:
        return max(self.canvas.inner - INDENT, 10)

    def _step(self, step: Step, *, joined: bool) -> Iterator[Text]:
        yield self._head()
        edge = Text(" │  " if joined else " " * INDENT, self.look.colour)
        for line in self._body(step):
            yield Text.assemble(edge, line)

    def _body(self, step: Step) -> Iterator[Text]:
        comment = step.role is Role.COMMENT
        if self.shown.warning:
            warned = self.look.warning.format(safe(self.shown.warning))
            yield from self._folded(warned, "bold yellow")
        if self.shown.title and step.n == 1 and not comment and not self.shown.title_below:
            yield from self._folded(safe(self.shown.title), "bold")
        texts, media = list(self._text(step)), list(self._media(step))
        yield from (*media, *texts) if self.look.media_first else (*texts, *media)
        if step.wording.card is not None:
            yield from self._card(step.wording)
        yield from self._folded(self._counts(step), OVER if step.over_at is not None else "dim")
        if step.cuts:
            yield from self._folded(self._parting(step), "yellow")
        if self.look.foot and not comment and self.canvas.lines:
            yield Text(cut(self.look.foot, self._room), "dim")

    def _head(self) -> Text:
        account = self.shown.account
        handle, name = handle_of(account), name_of(account)
        initial = next((c for c in name if c.isalnum()), "?").upper()
        words = {"account": account.name, "handle": handle, "name": name,
                 "short": name.partition(".")[0] or name, "readers": self._readers()}  # fmt: skip
        line = Text.assemble((self.look.avatar.format(initial), f"bold {self.look.colour}"), " ")
        for n, piece in enumerate(self.look.head.format(**words).split("|")):
            line.append(safe(piece), "bold" if n % 2 else "dim")
        line.truncate(self.canvas.inner, overflow="ellipsis")
        return line

    def _readers(self) -> str:
        wanted = self.shown.visibility or ""
        return self.look.readers.get(wanted, wanted)

    def _text(self, step: Step) -> Iterator[Text]:
        wording, over = step.wording, step.over_at
        if over is None:
            yield from self._wrapped(self._marked(wording, 0, len(wording.text)), step)
            return
        yield from self._wrapped(self._marked(wording, 0, over), step)
        yield self._limit_line(step)
        rest = self._marked(wording, over, len(wording.text))
        rest.stylize(OVER)
        yield from self._wrapped(rest)

    def _wrapped(self, text: Text, step: Step | None = None) -> Iterator[Text]:
        if step and self.look.media_first and step.role is Role.PART:
            text = Text.assemble((f"{name_of(self.shown.account)} ", "bold"), text)
        if text.plain.strip():
            lines = text.wrap(_CONSOLE, self._room, overflow="fold")
            yield from _shortened(list(lines))

    def _marked(self, wording: Wording, start: int, end: int) -> Text:
        """A stretch of the text with its links, tags and mentions as readers see them."""
        found, at = Text(), start
        for mark in wording.marks:
            if mark.end <= start or mark.start >= end:
                continue
            found.append(safe(wording.text[at : max(mark.start, at)]))
            found.append(_seen(wording.text, mark, start, end), self.look.styles[mark.kind])
            at = min(mark.end, end)
        found.append(safe(wording.text[at:end]))
        return found

    def _limit_line(self, step: Step) -> Text:
        words = (
            f"{step.limit:,} {step.unit}" if _is_counted_out(step) else f"{step.size_limit:,} bytes"
        )
        sign = "╌" if self.canvas.lines else "-"
        line = f"{sign * 2} limit: {words} {sign * self._room}"
        return Text(cut(line, self._room)[: self._room].replace("…", sign), OVER)

    def _counts(self, step: Step) -> str:
        """`2/3 · 247/300 graphemes · 251/3,000 bytes`."""
        parts = self.shown.parts
        words = [f"{step.n}/{parts}"] if parts > 1 and step.role is Role.PART else []
        if step.role is Role.COMMENT:
            words.append("first comment")
        limit = "" if step.limit is None else f"/{step.limit:,}"
        warned = " with the warning" if step.with_warning else ""
        words.append(f"{step.length:,}{limit} {step.unit}{warned}")
        if step.size_limit is not None:
            words.append(f"{step.size:,}/{step.size_limit:,} bytes")
        if step.wording.sent is not None:
            escapes = len(step.wording.sent) - len(step.wording.text)
            words += [f"{escapes} of them escapes"] if escapes else []
        return " · ".join(words)

    def _parting(self, step: Step) -> str:
        """Where lines of `---` would part the text so that it fits."""
        ends = [" ".join(step.wording.text[:place].split())[-20:] for place in step.cuts]
        places = ", ".join(f"“…{safe(end)}”" for end in ends[:3])
        more = f" and {len(ends) - 3} more" if len(ends) > 3 else ""
        return f"✂ {len(ends) + 1} parts would fit: a line --- after {places}{more}"

    def _media(self, step: Step) -> Iterator[Text]:
        for one in step.media:
            yield from self._medium(one)

    def _medium(self, one: Shown) -> Iterator[Text]:
        media, room = one.media, self._room - 2
        name = safe((media.url or (media.path or "file").rsplit("/", 1)[-1]).replace("\n", " "))
        yield Text(f"┌ {cut(name, room)}", self.look.colour)
        for line in self._picture(one):
            yield Text.assemble(("│ ", self.look.colour), line)
        about = [(_about(media), ""), (f"{SIGNS[one.fate]} {_fate(one)}", FATE_STYLES[one.fate])]
        alt = (media.alt or "").strip()
        if alt and not any(finding.field == "alt" for finding in self.shown.dropped):
            about.append((f"ALT {safe(alt)}", "italic"))
        for words, style in about:
            for piece in fold(" ".join(words.split()), room) if words else ():
                yield Text.assemble(("│ ", self.look.colour), (piece, style))
        yield Text("└", self.look.colour)

    def _picture(self, one: Shown) -> list[Text]:
        kind = one.media.type or ""
        if not self.canvas.colour or one.file is None or not kind.startswith("image/"):
            return []
        from postsched.cli.picture import picture

        return picture(one.file, self._room - 2)

    def _card(self, wording: Wording) -> Iterator[Text]:
        assert wording.card is not None
        url = safe(wording.card.url)
        by = ("the page is read when it goes out" if wording.card.by is CardBy.US
              else self.look.card.format(self.shown.network))  # fmt: skip
        host = urlsplit(wording.card.url).netloc or url
        for start, words, style in (
            ("┌ ", host, "dim"),
            ("│ ", (self.shown.title_below and self.shown.title) or url, "bold"),
            ("└ ", by, "dim italic"),
        ):
            line = cut(" ".join(safe(words).split()), self._room - 2)
            yield Text.assemble((start, self.look.colour), (line, style))

    def _folded(self, words: str, style: str) -> Iterator[Text]:
        for line in fold(" ".join(words.split()), self._room):
            yield Text(line, style)


_CONSOLE = Console()


def _shortened(lines: list[Text]) -> list[Text]:
    """The lines, without the middle of a very long text."""
    if len(lines) <= MOST_LINES:
        return lines
    left_out = len(lines) - MOST_LINES + 1
    words = Text(f"⋯ {left_out:,} more lines ⋯", "dim")
    return [*lines[: -left_out - LAST_LINES], words, *lines[-LAST_LINES:]]


def _seen(text: str, mark: Mark, start: int, end: int) -> str:
    if mark.shown is not None and start <= mark.start and mark.end <= end:
        return safe(mark.shown)
    return safe(text[max(mark.start, start) : min(mark.end, end)])


def _is_counted_out(step: Step) -> bool:
    return step.limit is not None and step.length > step.limit


def handle_of(account: Account) -> str:
    """The login as people write it."""
    return str(account.facts.get("user") or account.user or account.name)


def name_of(account: Account) -> str:
    """The same without its signs and server."""
    handle = handle_of(account)
    return handle.lstrip("@").partition("@")[0] or handle


def _about(media: Media) -> str:
    """`JPEG, 1200×800, 1.2 MB`."""
    kind = media.type or ""
    words = [KINDS.get(kind) or kind.partition("/")[2].upper() or ""]
    if media.width and media.height:
        words.append(f"{media.width}×{media.height}")
    if media.bytes is not None:
        words.append(_size(media.bytes))
    return ", ".join(word for word in words if word)


def _size(size: int) -> str:
    for unit, worth in (("MB", 1_000_000), ("kB", 1000)):
        if size >= worth:
            return f"{size / worth:.1f} {unit}"
    return f"{size} bytes"


def _fate(one: Shown) -> str:
    words = {Fate.FETCHED: "an address: not looked at here"}.get(one.fate, one.fate.value)
    return f"{words}: {one.words}" if one.words else words
