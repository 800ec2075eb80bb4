"""The JSON schema that an answer is to follow, as llguidance reads it."""

from __future__ import annotations

import json
from typing import Any

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.served_engine import Sampling

#: A small model that may put blanks between two words of JSON can go on with blanks for ever. Read
#: by llguidance, which keeps the runtime's answers to a schema.
_NO_PADDING = {
    "x-guidance": {
        "whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ",
    }
}  # fmt: skip


def schema_of(sampling: Sampling) -> str | None:
    """Return the JSON schema that the request wants its answer to follow."""
    wanted = sampling.more.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if wanted is None or kind == "text":
        return None
    schema: Any = {"type": "object"}
    if kind == "json_schema":
        schema = (wanted.get("json_schema") or {}).get("schema") or schema
    elif kind != "json_object":
        raise InvalidRequest(
            "The field 'response_format' is wrong: its type is text, json_object or json_schema.",
            param="response_format",
        )
    if isinstance(schema, dict):
        schema = {**_NO_PADDING, **schema}
    return json.dumps(schema)
