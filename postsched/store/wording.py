"""Conditions on the words of posts: their tags and texts. Case does not matter."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Text, or_, type_coerce

from postsched.store.tables import posts


def about(tag: str | None, search: str | None) -> list[ColumnElement[bool]]:
    """What a post with that tag is like, and with those words in one of its texts."""
    conditions: list[ColumnElement[bool]] = []
    columns = (posts.c.tags, posts.c.then, posts.c.variants, posts.c.texts)
    tags, then, variants, texts = (type_coerce(column, Text) for column in columns)
    if tag is not None:
        conditions.append(_contains(tags, json.dumps(tag, ensure_ascii=False)))
    if search is not None:
        in_json = json.dumps(search, ensure_ascii=False)[1:-1]
        plain = (posts.c.text, posts.c.comment, posts.c.title)
        conditions.append(
            or_(
                *(_contains(column, search) for column in plain),
                *(_contains(column, in_json) for column in (then, variants, texts)),
            )
        )
    return conditions


def _contains(column: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Databases fold the case of ASCII only, so the usual spellings of other letters are tried."""
    spellings = {words}
    if not words.isascii():
        spellings |= {words.lower(), words.upper(), words.capitalize(), words.title()}
    return or_(*(column.icontains(spelling, autoescape=True) for spelling in sorted(spellings)))
