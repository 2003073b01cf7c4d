r"""Several values in one text, parted by a separator that a backslash makes literal.

Backslashes stay as they are, so that Windows paths need no care, but right before a separator:
there each pair is one, and an odd one makes the separator part of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def split(text: str, separator: str) -> list[str]:
    """The values in a text; an empty text is one empty value."""
    values: list[str] = []
    current = ""
    position = 0
    for match in re.finditer(rf"(\\*){re.escape(separator)}", text):
        slashes = len(match[1])
        current += text[position : match.start()] + "\\" * (slashes // 2)
        position = match.end()
        if slashes % 2:
            current += separator
        else:
            values.append(current)
            current = ""
    return [*values, current + text[position:]]


def join(values: Iterable[str], separator: str) -> str:
    """The text that `split` makes these values of."""
    written = [re.sub(rf"(\\*){re.escape(separator)}", rf"\1\1\\{separator}", v) for v in values]
    # A backslash at the end of a value would stand before the separator that follows it.
    before = [re.sub(r"(\\+)\Z", r"\1\1", value) for value in written[:-1]]
    return separator.join([*before, *written[-1:]])
