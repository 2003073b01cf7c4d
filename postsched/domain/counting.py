"""How long a text is, in the unit of the network that will count it."""

from __future__ import annotations

import re

from postsched.domain.capabilities import TextRules, Unit
from postsched.domain.escaping import escaped

X_URL = 23
"""What a web address counts on X."""
_LONGEST_URL = 4096

_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_PATH = r"[^\s<>()?]"
_URL = (
    rf"(?<![A-Za-z0-9@＠$#＃])https?://(?:{_LABEL}\.)+[^\W_][\w-]*[^\W_](?![\w-])"
    r"(?::[0-9]{1,5})?"
    rf"(?:/(?:(?:{_PATH}|\({_PATH}*\))*(?:[^\s<>()?!*\"'「」;:=,.$%\[\]~&|@]|\({_PATH}*\)))?)?"
    r"(?:\?[a-z0-9!?*'();:&=+$/%#\[\]_.,~|@^-]*[a-z0-9_&=#/-])?"
)
_MENTION = r"(?<![=/\w])@(?P<user>[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)@[\w.-]*\w"
_ENTITY = rf"(?P<url>{_URL})|{_MENTION}"
"""URLs and mentions as Mastodon finds them, from left to right. Where it is in doubt it finds
less than Mastodon: then a text counts more here than there, never less. Compiled only once it is
needed, for that takes a while."""

_PLAIN = dict.fromkeys(map(ord, "0123456789#*"))
"""What Unicode calls components of emoji, for the keycaps, and is text all the same."""

_SINGLE = re.compile("[\0-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]*")
"""Characters that never join another to one grapheme (UAX #29), but for CR LF."""


def length(text: str, rules: TextRules, warning: str = "") -> int:
    """How long `text` is for a network with these rules, in `rules.unit`.

    `warning` is the content warning; it counts where the rules say so. Mastodon's way with URLs
    and mentions: fact sheet, section 3.
    """
    if rules.unit is Unit.WEIGHTED:
        total = _weighted(text, rules.url_length or X_URL)
        return total + units(warning, rules.unit) if rules.warning_counts else total
    shortens = rules.url_length is not None or rules.mention_domain_free
    if shortens and ("://" in text or "@" in text):
        text = _shortened(text, rules)
    text = escaped(text, rules)
    total = units(text, rules.unit)
    return total + units(warning, rules.unit) if rules.warning_counts else total


def units(text: str, unit: Unit) -> int:
    """How many of `unit` a text has as it stands."""
    match unit:
        case Unit.GRAPHEMES:
            return graphemes(text)
        case Unit.CODE_POINTS:
            return len(text)
        case Unit.UTF16:
            return len(text) + sum(char > "\uffff" for char in text)
        case Unit.WEIGHTED:
            return _weighted(text, X_URL)
        case Unit.EMOJI_BYTES:
            return _emoji_bytes(text)


def _emoji_bytes(text: str) -> int:
    """Code points, and for emoji (what joins and colours them too) their bytes of UTF-8."""
    if text.isascii():
        return len(text)
    import regex  # only for texts that need it: it costs start-up time

    emoji = "".join(regex.findall(r"[\p{Extended_Pictographic}\p{Emoji_Component}]", text))
    emoji = emoji.translate(_PLAIN)
    return len(text) - len(emoji) + byte_length(emoji)


def _weighted(text: str, url_length: int) -> int:
    from postsched.domain.weighted import weighted_length  # only for X: it takes time to load

    return weighted_length(text, url_length)


def graphemes(text: str) -> int:
    """The number of grapheme clusters: what a reader takes for one character each."""
    if _SINGLE.fullmatch(text):
        return len(text) - text.count("\r\n")
    return len(_clusters(text))


def byte_length(text: str) -> int:
    """The length in bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def _clusters(text: str) -> list[str]:
    import regex  # only for texts that need it: it costs start-up time

    return regex.findall(r"\X", text)


def _shortened(text: str, rules: TextRules) -> str:
    """The text as it is counted: a placeholder for each URL, mentions without their domain."""

    def counted(match: re.Match[str]) -> str:
        if match["url"] is None:
            return f"@{match['user']}" if rules.mention_domain_free else match[0]
        fits = rules.url_length is not None and len(match[0]) <= _LONGEST_URL
        return "x" * (rules.url_length or 0) if fits else match[0]

    return re.sub(_ENTITY, counted, text, flags=re.IGNORECASE)
