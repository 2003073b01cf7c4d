"""Length as X counts it: weighted (twitter-text, configuration version 3).

In normal form C, a web address counts `url_length` whatever its length, an emoji 2 however it is
put together, a code point of the Latin and neighbouring scripts 1, and any other 2. Where it is in
doubt what X takes for an address, the larger number counts.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from postsched.domain.weblinks import links

if TYPE_CHECKING:
    import regex

_LIGHT = re.compile("[\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_PLAIN = re.compile("[\0-\u00a8\u00aa-\u00ad\u00af-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]*")
"""Characters that count 1 each, and of which no emoji is made."""


def weighted_length(text: str, url_length: int) -> int:
    """How long a text is."""
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    if "." not in text:
        return _weight(text)
    total = at = 0
    for link in links(text):
        total += _weight(text[at : link.start])
        in_full = 0 if link.sure else _weight(text[link.start : link.end])
        total += max(url_length, in_full)
        at = link.end
    return total + _weight(text[at:])


def _weight(text: str) -> int:
    """The weight of a text without addresses."""
    if _PLAIN.fullmatch(text):
        return len(text)
    without, emoji = _emoji().subn("", text)
    return 2 * (emoji + len(without)) - len(_LIGHT.findall(without))


@cache
def _emoji() -> regex.Pattern[str]:
    """Emoji (Unicode Technical Standard 51, section 1.4.9): flags, keycaps, and pictographs with
    their modifiers and whatever is joined to them; not those shown as text."""
    import regex  # only for texts that need it: it costs start-up time

    one = (
        r"(?:\p{Emoji_Modifier_Base}\ufe0f?\p{Emoji_Modifier}"
        r"|(?![©®](?!\ufe0f))\p{Extended_Pictographic}\ufe0f?(?!\ufe0e)"
        r"|\p{Emoji_Modifier})"
    )
    sequence = rf"{one}(?:[\U000e0020-\U000e007e]+\U000e007f)?"
    return regex.compile(
        r"\p{Regional_Indicator}{1,2}|[#*0-9]\ufe0f?\u20e3"
        rf"|{sequence}(?:\u200d{sequence})*"
    )
