"""Answers as JSON, always UTF-8."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response


def encoded(document: Any) -> bytes:
    """A JSON document; halves of characters, which UTF-8 has not, become question marks."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


class Json(Response):
    """A JSON document as an answer; it is made in the thread that asks for it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of a document; bytes are one already."""
        return content if isinstance(content, bytes) else encoded(content)
