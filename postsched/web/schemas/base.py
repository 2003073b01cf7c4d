"""What the schemas have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from postsched.domain.nearest import did_you_mean

Instant = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, UTC")
]
LARGEST = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=LARGEST)]
Name = Annotated[str, Field(min_length=1, max_length=64, description="An account or a group")]


ELSEWHERE = {"in": 'Say it as at: "in 2 hours"'}
"""What the command line has as an option, and what says the same here."""


class Told(BaseModel):
    """What the API gives: exactly these members."""

    model_config = ConfigDict(extra="forbid")


class Given(BaseModel):
    """What the API takes: these members and no others, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _expect_known(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for name in given:
            if name not in known:
                raise PydanticCustomError(
                    "unknown_name",
                    "there is no member {name}",
                    {
                        "name": repr(name[:200]),
                        "member": name[:200],
                        "hint": ELSEWHERE.get(name) or did_you_mean(name, known),
                    },
                )
        return given


class Problem(Told):
    """What is wrong (RFC 9457). `field` names what is at fault, `hint` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    hint: str | None
    field: str | None
