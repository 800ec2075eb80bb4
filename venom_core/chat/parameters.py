"""The parameter policy: each parameter is honoured, or refused by name; none is dropped in silence.

A neutral value (the one that changes nothing) passes everywhere, and so do fields that change no
token. Under ``warn`` what cannot be honoured is left out and named to the caller, whoever says so:
the declaration of the provider, the model's, or the provider once it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from shlex import quote
from typing import Any, Literal

from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.frames import Wire
from venom_core.sdk.spec import NO_TOKEN_CHANGED, STRUCTURAL_PARAMETERS

Policy = Literal["strict", "warn"]

#: No bound of an answer's length, as Ollama, llama.cpp and LM Studio spell it.
NO_LIMIT = -1

#: Tokens of a completion that bounds itself nowhere.
COMPLETION_TOKENS = 16

#: Fields of an embeddings body that are no parameters of the provider's.
_OF_EVERY_EMBEDDING = frozenset({"encoding_format", "input", "model"})
_OF_EVERY_RERANKING = frozenset({"documents", "model", "query", "return_documents", "top_n"})

#: The value of a parameter that asks for nothing.
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "echo": (False,),
    "encoding_format": ("float",),
    "frequency_penalty": (0,),
    "logprobs": (False, 0),
    "max_tokens": (NO_LIMIT,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True,),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "top_logprobs": (0,),
    "tool_choice": ("auto", "none"),
}


#: Parameters whose neutral value is a word against a default that an engine may have of its own.
AGAINST_DEFAULTS = frozenset({"frequency_penalty", "presence_penalty"})

#: Never left out: what is asked and of whom, and the size of vectors, which fit one index only.
_STAYS = STRUCTURAL_PARAMETERS | {"dimensions"}
#: What means nothing without a field, and is left out with it.
_GOES_WITH: Mapping[str, tuple[str, ...]] = {
    "logprobs": ("top_logprobs",),
    "tools": ("tool_choice", "parallel_tool_calls"),
}
#: The one place inside a field that can be left out by itself: without it a tool stays the same
#: tool, whose arguments nobody holds to their schema.
_STRICT_TOOL = re.compile(r"tools\[\d{1,9}\]\.function\.strict", re.ASCII)
STRICT_TOOLS = "tools[].function.strict"
#: A longer name is no parameter's, and fits no header.
_LONGEST_NAME = 100


def is_neutral(name: str, value: Any) -> bool:
    """Return whether the value asks for nothing: null, empty, or the parameter's own "off"."""
    return _is_empty(value) or any(
        (value == off and type(value) is type(off)) or _same_number(value, off)
        for off in NEUTRAL.get(name, ())
    )


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, list | dict | str) and not value)


def _same_number(value: Any, off: Any) -> bool:
    numbers = isinstance(value, int | float) and isinstance(off, int | float)
    return numbers and not isinstance(value, bool) and not isinstance(off, bool) and value == off


def apply_policy(
    body: Mapping[str, Any],
    honoured: Collection[str],
    policy: Policy,
    *,
    model: str,
    passes_on: bool = False,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the body for the provider, and the names left out under ``warn``.

    Args:
        honoured: what the provider declares.
        model: named in the refusal.
        passes_on: as of the provider's declaration.

    Raises ``UnsupportedParameter`` naming the parameter.
    """
    kept: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in _one_token_limit(body).items():
        if name in STRUCTURAL_PARAMETERS:
            kept[name] = value
        elif _is_empty(value) or (name == "max_tokens" and value == NO_LIMIT):
            continue
        elif (
            name == "tool_choice"
            and not (body.get("tools") and passes_on)
            and (not body.get("tools") or value == "auto")
        ):
            # Without tools there is nothing to choose; "auto" is what every engine does.
            if not body.get("tools") and value not in ("auto", "none", None):
                raise InvalidRequest(
                    "tool_choice needs tools.",
                    param="tool_choice",
                    fix="Add tools, or leave it out.",
                )
        elif passes_on or _is_wanted(name, value, honoured):
            kept[name] = value
        elif name in NO_TOKEN_CHANGED or is_neutral(name, value):
            continue
        elif policy == "warn":
            left_out.append(name)
        else:
            raise UnsupportedParameter(
                f"{model} cannot honour the parameter {name!r}.",
                param=name,
                fix=f"Leave {name!r} out, or set VENOM_PARAMETER_POLICY=warn to have it ignored.",
            )
    return kept, tuple(left_out)


def without_refused(
    body: Mapping[str, Any], param: str | None
) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Return the body without a field that was refused, and the names that the caller is told;
    None where it may not be left out, or is not there.

    What one tool is not held to, none is: ``strict`` goes from all of them at once.
    """
    if param is not None and _STRICT_TOOL.fullmatch(param):
        return _without_strict(body)
    if param is None or param not in body or param in _STAYS or len(param) > _LONGEST_NAME:
        return None
    gone = (param, *_GOES_WITH.get(param, ()))
    kept = {name: value for name, value in body.items() if name not in gone}
    named = [one for one in gone if one == param or not is_neutral(one, body.get(one))]
    return kept, tuple(named)


def _without_strict(body: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    given = list(body.get("tools") or ())
    tools = [{**tool, "function": _loose(tool.get("function"))} for tool in given]
    return None if tools == given else ({**body, "tools": tools}, (STRICT_TOOLS,))


def _loose(function: Any) -> Any:
    if not isinstance(function, Mapping):
        return function
    return {name: value for name, value in function.items() if name != "strict"}


def _is_wanted(name: str, value: Any, honoured: Collection[str]) -> bool:
    asks = name in AGAINST_DEFAULTS or name == "tool_choice" or not is_neutral(name, value)
    return name in honoured and asks


def as_the_client_said(
    body: dict[str, Any], origins: dict[str, str], request: Mapping[str, Any]
) -> None:
    """Give the bound of an answer back the name that the client had for it, for a provider that
    passes requests on. Changes ``body`` and ``origins``."""
    newer, older = "max_completion_tokens", "max_tokens"
    if request.get(newer) is not None and request.get(older) is None and older in body:
        body[newer] = body.pop(older)
        origins[newer] = origins.pop(older)


def _one_token_limit(body: Mapping[str, Any]) -> dict[str, Any]:
    """Rename ``max_completion_tokens``, the newer name, to ``max_tokens``, which providers see."""
    newer, older = body.get("max_completion_tokens"), body.get("max_tokens")
    if newer is not None and older is not None and newer != older:
        raise InvalidRequest(
            "max_tokens and max_completion_tokens say different things.",
            param="max_tokens",
            fix="Send max_completion_tokens alone.",
        )
    rest = {name: value for name, value in body.items() if name != "max_completion_tokens"}
    return rest | ({"max_tokens": newer} if newer is not None else {})


def _asks_no_limit(request: Mapping[str, Any]) -> bool:
    return NO_LIMIT in (request.get("max_tokens"), request.get("max_completion_tokens"))


def check_override(
    override: Mapping[str, Any], honoured: Collection[str], policy: Policy, *, model: str
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the stored parameters that the provider honours, and the names left out under
    ``warn``.

    They were checked when they were stored; the provider may be another version since.
    """
    stale = tuple(name for name in override if name not in honoured)
    if stale and policy != "warn":
        raise UnsupportedParameter(
            f"{model} cannot honour the stored parameter {stale[0]!r}.",
            param=stale[0],
            fix=f"Forget what is stored: venom set {quote(model)} --reset",
        )
    return {name: value for name, value in override.items() if name in honoured}, stale


def merge_generation(
    body: dict[str, Any],
    request: Mapping[str, Any],
    override: Mapping[str, Any],
    own: Mapping[str, Any],
    wire: Mapping[str, Any],
    applied: Mapping[str, Any] = {},
) -> dict[str, str]:
    """Fill in what the request leaves open: the stored override, then the model's own defaults,
    then those of the wire. Gives each parameter's origin, ``request``, ``override``, ``model`` or
    ``wire``.

    Changes ``body``, which is ``request`` after the policy. What the request set to null is open;
    a neutral value, which the policy leaves out, is a word against ours and is sent then.

    Args:
        applied: the model's own defaults where its engine applies them by itself: not sent, but
            what a request says against them is.
    """
    origins = dict.fromkeys((name for name in body if name not in STRUCTURAL_PARAMETERS), "request")
    for origin, values in (("override", override), ("model", own), ("wire", wire)):
        for name, value in values.items():
            if body.get(name) is not None:
                continue
            if name == "max_tokens" and _asks_no_limit(request):
                origins[name] = "request"  # left out, which every engine takes for no limit
                continue
            given = request.get(name)
            asked = given is not None and is_neutral(name, given)
            body[name] = given if asked else value
            origins[name] = "request" if asked else origin
    for name in applied:
        if body.get(name) is not None:
            continue
        given = request.get(name)
        # An empty list or no limit at all cannot be said to such an engine: its own stays.
        if type(given) in (int, float) and given != NO_LIMIT and is_neutral(name, given):
            body[name] = given
        origins[name] = "request" if body.get(name) is not None else "model"
    return origins


def wire_defaults(wire: Wire, honoured: Collection[str]) -> Mapping[str, Any]:
    """Return what OpenAI's API itself takes where neither request nor model says anything: a
    completion without a bound ends after 16 tokens, and clients count on it."""
    bound = wire == "completion" and "max_tokens" in honoured
    return {"max_tokens": COMPLETION_TOKENS} if bound else {}


def check_embedding_parameters(
    body: Mapping[str, Any], honoured: Collection[str], policy: Policy, *, model: str
) -> tuple[str, ...]:
    """Return the names of an embeddings body that are left out under ``warn``.

    Raises ``UnsupportedParameter``; for ``dimensions`` under every policy, since vectors of
    another size fit no index that expects these.
    """
    rest = {name: value for name, value in body.items() if name not in _OF_EVERY_EMBEDDING}
    if "dimensions" in rest:
        size = {"dimensions": rest.pop("dimensions")}
        apply_policy(size, honoured, "strict", model=model)
    return apply_policy(rest, (), policy, model=model)[1]


def check_rerank_parameters(
    body: Mapping[str, Any], policy: Policy, *, model: str
) -> tuple[str, ...]:
    """Return the names of a rerank body that are left out under ``warn``; raises
    ``UnsupportedParameter``."""
    rest = {name: value for name, value in body.items() if name not in _OF_EVERY_RERANKING}
    return apply_policy(rest, (), policy, model=model)[1]
