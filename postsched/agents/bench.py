"""What a tool works on, what it answers, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from postsched.domain.scope import Scope
from postsched.secrets import Secrets
from postsched.service.desk import Desk

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """`scope` is what the agent may do; `media_root` the folder whose files it may post, None for
    none. The secrets are never read out: `check_posts` looks whether there are any."""

    desk: Desk
    secrets: Secrets
    rng: Random
    scope: Scope
    media_root: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A document, and what a person would be told besides, a sentence each."""

    document: dict[str, Any]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """`properties` and `required` are the JSON Schema of the arguments, `answers` that of the
    document. `lasting` changes are those that can't be taken back by another call."""

    name: str
    title: str
    description: str
    scope: Scope
    call: Callable[[Bench, Arguments], Answer]
    answers: Mapping[str, Any]
    properties: Mapping[str, Any]
    required: Sequence[str] = ()
    lasting: bool = False
    repeatable: bool = True

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the arguments."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }
