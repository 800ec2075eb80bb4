"""Reading a request's body under ``/v1``: JSON once, straight into a schema, errors with a path."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic_core import SchemaValidator, from_json

from venom_core.api.json_text import json_text
from venom_core.api.validation import invalid
from venom_core.chat.validation import check_fields, up_to_first_error
from venom_core.sdk.errors import InvalidRequest

# Strict: "0.7" is no number and 1 is no boolean. Unknown keys stay in: the parameter policy names
# them.
_CONFIG = ConfigDict(strict=True, extra="allow")


@functools.cache
def _validator(schema: Any) -> SchemaValidator:
    # A subclass, so that plugins see the plain TypedDict.
    whole = TypeAdapter(with_config(_CONFIG)(schema)).core_schema
    return SchemaValidator(up_to_first_error(whole))


def checked(
    raw: bytes,
    schema: Hashable,
    required: Sequence[str] = (),
    meant: Callable[[Any], Any] = lambda body: body,
) -> dict[str, Any]:
    """Return the body in ``raw``; raises ``InvalidRequest`` with the path of the field at fault.

    Args:
        schema: a TypedDict.
        required: fields that have to be there.
        meant: puts the body's words as the schema has them.
    """
    try:
        # Parsed apart from the check, since only the parser refuses NaN wherever it stands.
        found = meant(from_json(json_text(raw), allow_inf_nan=False))
        body: dict[str, Any] = _validator(schema).validate_python(found)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False)) from error
    except ValueError as error:
        raise InvalidRequest(
            f"The body is not JSON: {error}.", fix="Check quotes, commas and numbers."
        ) from error
    check_fields(body)
    for name in required:
        if name not in body:
            raise InvalidRequest(f"The field {name!r} is missing.", param=name, fix=f"Add {name}.")
    return body
