r"""Placeholders: what stands in double braces in a text, and what is put in its place.

`{{date}}`, `{{date:%d %B %Y}}`, `{{city}}`; `\{{` is a literal `{{`. Names of days and months are
English whatever the locale, and a date may be written only with the directives listed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime

from postsched.domain.errors import InvalidInput
from postsched.domain.nearest import nearest

PLACE = re.compile(r"\\\{\{|\{\{(?!\{)(?P<inner>[^{}\n]*)\}\}|\{\{(?!\{)")
"""A literal `{{`, a placeholder, or one that is not closed in its line."""
DIRECTIVE = re.compile(r"%(-?)(.?)", re.DOTALL)
NAME = re.compile(r"[^\W\d][\w-]*")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "Y": lambda at: f"{at.year:04d}",
    "y": lambda at: f"{at.year % 100:02d}",
    "m": lambda at: f"{at.month:02d}",
    "B": lambda at: MONTHS[at.month - 1],
    "b": lambda at: MONTHS[at.month - 1][:3],
    "d": lambda at: f"{at.day:02d}",
    "e": lambda at: f"{at.day}",
    "j": lambda at: f"{at.timetuple().tm_yday:03d}",
    "A": lambda at: WEEKDAYS[at.weekday()],
    "a": lambda at: WEEKDAYS[at.weekday()][:3],
    "u": lambda at: f"{at.isoweekday()}",
    "G": lambda at: f"{at.isocalendar().year:04d}",
    "V": lambda at: f"{at.isocalendar().week:02d}",
    "H": lambda at: f"{at.hour:02d}",
    "I": lambda at: f"{(at.hour - 1) % 12 + 1:02d}",
    "M": lambda at: f"{at.minute:02d}",
    "S": lambda at: f"{at.second:02d}",
    "p": lambda at: "AM" if at.hour < 12 else "PM",
    "F": lambda at: at.date().isoformat(),
    "R": lambda at: f"{at.hour:02d}:{at.minute:02d}",
    "%": lambda at: "%",
}
"""Those of strftime, as in the C locale; with `%-` a number has no zero before it."""
TIMES = {"date": "%F", "time": "%R", "weekday": "%A", "month": "%B", "year": "%Y"}
"""What names the local time of an occurrence, and how it is written unless it is said."""
WITH_FORMAT = ("date", "time")
COUNTER, TEXT = "n", "text"
RESERVED = (*TIMES, COUNTER, TEXT)
"""Names that no variable may have."""


def filled(text: str, values: Mapping[str, str], local: datetime) -> str:
    r"""The text with all placeholders filled in and `\{{` made literal. What stands for nothing
    stays; nothing is raised. `local` is the local time that TIMES are of."""
    if "{{" not in text:
        return text
    return "".join(_pieces(text, values, local))


def filled_length(text: str, values: Mapping[str, str], local: datetime) -> int:
    """The length of the same, without making it."""
    return sum(map(len, _pieces(text, values, local)))


def literal(text: str) -> str:
    """The text that is `text` again once it is filled in."""
    return text.replace("{{", r"\{{")


def mentioned(text: str) -> Iterator[str]:
    """The names in a text's placeholders, known or not."""
    for match in PLACE.finditer(text):
        if match["inner"] is not None:
            yield _name_and_format(match["inner"])[0]


def check(text: str, names: Collection[str]) -> None:
    """Raise InvalidInput for a placeholder that stands for nothing. `names` are those there are."""
    for match in PLACE.finditer(text):
        inner = match["inner"]
        if inner is not None:
            _check_place(match[0], *_name_and_format(inner), names)
        elif match[0] == "{{":
            begin = text[match.start() : match.start() + 20].split("\n")[0]
            raise InvalidInput(
                f"a {{{{ is not closed: {begin!r}", r"Close it with }}; a literal {{ is \{{"
            )


def check_name(name: str) -> None:
    """Raise InvalidInput for what can't be the name of a variable."""
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} can't be the name of a variable",
            "Begin with a letter, and use letters, digits, _ and -",
        )
    if name in RESERVED:
        raise InvalidInput(f"{{{{{name}}}}} has a meaning already", "Give it another name")


def _pieces(text: str, values: Mapping[str, str], local: datetime) -> Iterator[str]:
    position = 0
    for match in PLACE.finditer(text):
        yield text[position : match.start()]
        yield _piece(match, values, local)
        position = match.end()
    yield text[position:]


def _piece(match: re.Match[str], values: Mapping[str, str], local: datetime) -> str:
    if match["inner"] is None:
        return "{{"
    name, form = _name_and_format(match["inner"])
    if name in TIMES and (form is None or name in WITH_FORMAT):
        return _written(local, form or TIMES[name])
    return values.get(name, match[0]) if form is None else match[0]


def _name_and_format(inner: str) -> tuple[str, str | None]:
    name, colon, form = inner.partition(":")
    return name.strip(), form.strip() if colon else None


def _written(local: datetime, form: str) -> str:
    def one(match: re.Match[str]) -> str:
        write = DIRECTIVES.get(match[2])
        if write is None:
            return match[0]
        return (write(local).lstrip("0") or "0") if match[1] else write(local)

    return DIRECTIVE.sub(one, form)


def _check_place(place: str, name: str, form: str | None, names: Collection[str]) -> None:
    if name not in names and name not in TIMES:
        raise InvalidInput(f"{place} stands for nothing", _hint(name, names))
    if form is None:
        return
    if name not in WITH_FORMAT:
        raise InvalidInput(f"{place}: only date and time take a format", f"Write {{{{{name}}}}}")
    if not form:
        raise InvalidInput(f"{place} has no format", "Write one like {{date:%d %B %Y}}")
    for match in DIRECTIVE.finditer(form):
        if match[2] not in DIRECTIVES:
            known = " ".join(f"%{letter}" for letter in DIRECTIVES)
            raise InvalidInput(f"{place}: {match[0]} stands for nothing", f"There are {known}")


def _hint(name: str, names: Collection[str]) -> str:
    known = sorted({*names, *TIMES})
    if found := nearest(name, known):
        return f"Did you mean {{{{{found}}}}}?"
    listed = ", ".join(f"{{{{{one}}}}}" for one in known)
    return rf"There are {listed}, and what --var NAME=VALUE gives; a literal {{{{ is \{{{{"
