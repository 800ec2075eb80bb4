"""Bounds on what is looked at of a body: so many values, and no further than the first error.

A refusal names one field. To build what is said of a million others keeps everybody waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic_core import PydanticKnownError
from pydantic_core.core_schema import (
    CoreSchema,
    no_info_before_validator_function,
    no_info_wrap_validator_function,
)

from venom_core.sdk.bounded_json import TooManyValues, check_values
from venom_core.sdk.errors import InvalidRequest, RequestTooLarge

#: JSON values of one body: three hundred thousand tokens as numbers, and some.
MOST_VALUES = 320_000
#: Objects and lists among them, each of which is checked by itself.
MOST_OBJECTS = 32_000
#: Fields of an object whose names a client chooses.
MOST_FIELDS = 1024
LONGEST_FIELD = 200
_SERIES = frozenset({"list", "set", "frozenset", "tuple"})


def check_size(raw: bytes) -> None:
    """Raise ``RequestTooLarge`` where a body holds more values than are read."""
    try:
        check_values(raw, MOST_VALUES, MOST_OBJECTS)
    except TooManyValues as error:
        raise RequestTooLarge(
            f"The body holds more than {MOST_VALUES:,} JSON values, or more than {MOST_OBJECTS:,}"
            " of them are objects and lists.",
            fix="Send it in several smaller requests.",
        ) from error


def check_fields(body: Mapping[str, Any]) -> None:
    """Raise ``InvalidRequest`` where a body has more fields, or longer names of fields, than a
    refusal could name."""
    if len(body) > MOST_FIELDS:
        raise InvalidRequest(
            f"The body has more than {MOST_FIELDS:,} fields.", fix="Leave out what is unknown."
        )
    if any(len(name) > LONGEST_FIELD for name in body):
        raise InvalidRequest(
            f"A field's name is longer than {LONGEST_FIELD} characters.",
            fix="Leave out what is unknown.",
        )


def up_to_first_error(schema: CoreSchema) -> CoreSchema:
    """Return the schema with each series and each open object in it checked no further than its
    first error, and 4.0 taken where 4 may stand."""
    return cast(CoreSchema, _bounded(schema))


def _bounded(part: Any) -> Any:
    if isinstance(part, list):
        return [_bounded(item) for item in part]
    if not isinstance(part, dict):
        return part
    made = {k: v if k in ("metadata", "serialization") else _bounded(v) for k, v in part.items()}
    kind = made.get("type")  # of a table of fields, that field
    if isinstance(kind, str) and kind in _SERIES:
        made["fail_fast"] = True
        if _kind(part.get("items_schema")) == "int":
            made["items_schema"] = part["items_schema"]  # tokens: as many as a text has words
    elif kind == "int":
        return no_info_before_validator_function(_whole, cast(CoreSchema, made))
    elif kind == "dict" and made.get("values_schema", {}).get("type", "any") != "any":
        return no_info_wrap_validator_function(_each_alone, cast(CoreSchema, made))
    return made


def _kind(part: Any) -> Any:
    return part.get("type") if isinstance(part, dict) else None


def _whole(value: Any) -> Any:
    """Return 4 for 4.0: to many clients every number is one with a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _each_alone(value: Any, check: Callable[[Any], dict[Any, Any]]) -> dict[Any, Any]:
    """Check an object's fields one after the other: pydantic has no other way to stop."""
    if not isinstance(value, dict):
        return check(value)
    if len(value) > MOST_FIELDS:
        length = {"max_length": MOST_FIELDS, "actual_length": len(value)}
        raise PydanticKnownError("too_long", {"field_type": "Dictionary", **length})
    found: dict[Any, Any] = {}
    for name, item in value.items():
        found |= check({name: item})
    return found


class Body(BaseModel):
    """A JSON object without unknown keys and without conversions, checked up to its first
    error."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return up_to_first_error(handler(source))

    @model_validator(mode="before")
    @classmethod
    def _one_unknown(cls, value: Any) -> Any:
        """Leave an object one of the fields that it must not have: one is refused."""
        known = cls.model_fields
        if not isinstance(value, dict) or len(value) <= len(known) + 1:
            return value
        unknown = next(name for name in value if name not in known)
        return {name: item for name, item in value.items() if name in known or name == unknown}
