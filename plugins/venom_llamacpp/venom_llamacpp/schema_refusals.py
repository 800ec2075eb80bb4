"""llama.cpp's words on a JSON schema that it cannot follow, as refusals. Seen in xllamacpp
2026.10."""

from __future__ import annotations

import re

from venom_core.sdk.errors import InvalidRequest

_SCHEMA = re.compile(r"JSON schema error at \S*?: (.{1,200})|failed to parse grammar")


def schema_refusal(error: InvalidRequest) -> InvalidRequest:
    """Return a refusal of the engine's with the field of the schema, where it is about one; else
    the refusal as it is."""
    found = _SCHEMA.search(error.message)
    if error.param is not None or found is None:
        return error
    words = (found[1] or "it makes no grammar").strip().rstrip(".")
    return InvalidRequest(
        f"The engine cannot follow this JSON schema: {words}.",
        param="response_format",
        fix="Use what the engine knows: type, properties, required, enum, const, anyOf, items.",
    )
