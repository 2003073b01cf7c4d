"""Whether the arguments of a call are what the tool takes; what is wrong, in one short sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from postsched.domain.errors import InvalidInput
from postsched.domain.nearest import did_you_mean

LARGEST = 2_000_000
"""Characters of all arguments of a call, as JSON."""
NAMES = {"string": "text", "integer": "a whole number", "number": "a number", "array": "a list",
         "object": "an object", "boolean": "true or false", "null": "null"}  # fmt: skip


def check(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Raise InvalidInput for what does not fit; nothing of a long value is repeated."""
    if len(json.dumps(arguments)) > LARGEST:
        raise InvalidInput(f"the arguments have more than {LARGEST:,} characters", "Say less")
    error = best_match(Draft202012Validator(schema).iter_errors(arguments))
    if error is None:
        return
    where = ".".join(str(step)[:80] for step in error.absolute_path)
    message, hint = _words(error)
    raised = InvalidInput(f"{where}: {message}" if where else message, hint)
    raised.field = where or None
    raise raised


def _words(error: ValidationError) -> tuple[str, str]:
    """What is wrong, and what to do."""
    rule: Any = error.validator_value
    given: Any = error.instance
    schema: Any = error.schema
    match error.validator:
        case "type":
            kinds = [rule] if isinstance(rule, str) else rule
            return f"must be {' or '.join(NAMES[kind] for kind in kinds)}", "Give that"
        case "enum":
            return (
                f"there is no {str(given)[:80]!r} here",
                f"There are: {', '.join(map(str, rule))}",
            )
        case "required":
            missing = next(name for name in rule if name not in given)
            return f"{missing} is missing", "Give it"
        case "additionalProperties":
            known = list(schema.get("properties", ()))
            unknown = next((name for name in given if name not in known), "")
            near = did_you_mean(unknown[:80], known) or f"There are: {', '.join(known)}"
            return f"there is no argument {unknown[:80]!r}", near
        case "maxLength":
            return f"has more than {rule:,} characters", "Give less"
        case "maxItems" | "maxProperties":
            return f"has more than {rule:,} elements", "Give fewer"
        case "minItems":
            return "is empty", "Name at least one"
        case "minimum" | "maximum":
            least = error.validator == "minimum"
            return f"must be {rule:,} at the {'least' if least else 'most'}", "Give another number"
        case _:
            return "is not what it should be", "See the schema of the tool"
