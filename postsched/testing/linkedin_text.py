"""Little text as LinkedIn shows it: after a reserved character that is not escaped and means
nothing, the rest is gone without a word (fact sheet, section 3).

Written from the sheet and apart from the adapter, which must not be its own judge.
"""

from __future__ import annotations

RESERVED = frozenset("\\|{}@[]()<>#*_~")
KINDS = ("urn:li:organization:", "urn:li:person:")


def shown(commentary: str) -> str:
    """What people see: escapes taken away, mentions as names, cut at the first character that
    should have been escaped."""
    out: list[str] = []
    at = 0
    while at < len(commentary):
        piece, length = _piece(commentary, at)
        if not length:
            break
        out.append(piece)
        at += length
    return "".join(out)


def _piece(text: str, at: int) -> tuple[str, int]:
    """What is shown of the next piece, and its length; 0 where the rest is dropped."""
    character = text[at]
    if character not in RESERVED:
        return character, 1
    following = text[at + 1 : at + 2]
    if character == "\\" and following in RESERVED and following:
        return following, 2
    if character == "#" and not text[at - 1 : at].isalnum():
        return _hashtag(text, at)
    if character == "@" and following == "[":
        return _mention(text, at)
    return "", 0


def _hashtag(text: str, at: int) -> tuple[str, int]:
    end = at + 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return (text[at:end], end - at) if end > at + 1 else ("", 0)


def _mention(text: str, at: int) -> tuple[str, int]:
    """@[Name](urn), where the name is little text too, without hashtags and mentions."""
    name: list[str] = []
    place = at + 2
    while place < len(text) and text[place] != "]":
        escape = text[place] == "\\"
        character = text[place + escape : place + escape + 1]
        if not character or (character in RESERVED) != escape:
            return "", 0
        name.append(character)
        place += 1 + escape
    end = text.find(")", place)
    urn = text[place + 2 : end]
    if not name or text[place : place + 2] != "](" or end < 0 or not _is_urn(urn):
        return "", 0
    return "".join(name), end + 1 - at


def _is_urn(text: str) -> bool:
    prefix = next((kind for kind in KINDS if text.startswith(kind)), None)
    rest = text.removeprefix(prefix or text)
    return bool(rest) and rest.replace("-", "").replace("_", "").isalnum()
