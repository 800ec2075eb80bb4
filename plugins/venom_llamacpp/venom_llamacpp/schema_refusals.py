"""llama.cpp's words on a JSON schema or a grammar that it cannot follow, as refusals. Seen in
xllamacpp 2026.10."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Callable

from venom_core.sdk.errors import InvalidRequest, UpstreamError, VenomError
from venom_core.sdk.frames import Frame
from venom_core.sdk.messages import ChatRequest
from venom_llamacpp.stuck_engines import StuckEngines

_SCHEMA = re.compile(r"JSON schema error at \S*?: (.{1,200})|failed to parse grammar")
_NO_GRAMMAR = re.compile(r"failed to parse grammar")
_NO_WAY_ON = re.compile(r"Unexpected empty grammar stack")


async def held_to_form(
    ask: Callable[[ChatRequest], AsyncGenerator[Frame, None]],
    request: ChatRequest,
    stuck: StuckEngines,
) -> AsyncGenerator[Frame, None]:
    """Yield what ``ask`` does; the engine's word on the form of the answer is a refusal with the
    name of the field."""
    has_grammar = bool(request.body.get("grammar"))
    has_form = has_grammar or bool(request.body.get("response_format"))
    watching = stuck.watching(request.model) if has_form else contextlib.nullcontext()
    try:
        async with watching, contextlib.aclosing(ask(request)) as frames:
            async for frame in frames:
                yield frame
    except (InvalidRequest, UpstreamError) as error:
        raise (grammar_refusal if has_grammar else schema_refusal)(error) from error


def schema_refusal(error: VenomError) -> VenomError:
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


def grammar_refusal(error: VenomError) -> VenomError:
    """Return a refusal of the engine's with the field of the grammar, where it is about one; else
    the refusal as it is."""
    if _NO_WAY_ON.search(error.message):
        return InvalidRequest(
            "The grammar leads to where no token of this model can follow.",
            param="grammar",
            fix="Look for characters that nothing matches, and for tokens of another model.",
        )
    if error.param is not None or not _NO_GRAMMAR.search(error.message):
        return error
    return InvalidRequest(
        "The engine cannot follow this grammar: a rule begins with itself, or a token is none of "
        "this model's.",
        param="grammar",
        fix="Let each rule begin with something else than itself.",
    )
