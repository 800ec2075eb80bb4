"""Bodies of the OpenAI wire as an engine's server reads them: checked, and nothing dropped unsaid.

What Venom sends was checked before; whoever else has the key is checked here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from venom_core.sdk.errors import InvalidRequest, ModelNotCapable, UnsupportedParameter
from venom_core.sdk.served_engine import Sampling

MOST_STOPS = 64
MOST_CHOICES = 16
MOST_INPUTS = 2048
MOST_BIASES = 1024
MOST_TOP = {"chat": 20, "completion": 5}
_LARGEST = 2**63 - 1

#: Name -> whole number or not, lowest and highest value.
_NUMBERS: Mapping[str, tuple[bool, float, float]] = {
    "temperature": (False, 0, 2), "top_p": (False, 0, 1), "top_k": (True, 0, 100_000),
    "min_p": (False, 0, 1), "repeat_penalty": (False, 0, 10), "presence_penalty": (False, -2, 2),
    "frequency_penalty": (False, -2, 2), "seed": (True, -_LARGEST - 1, _LARGEST),
}  # fmt: skip
#: Fields that the server itself honours.
_SERVERS_OWN = frozenset(
    {"model", "messages", "prompt", "input", "stream", "stream_options", "max_tokens", "stop", "n"}
)
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True)
class Generation:
    """The wishes of a chat or completion body. ``most`` is None where it sets no bound."""

    wire: str
    stream: bool
    include_usage: bool
    choices: int
    most: int | None
    stops: tuple[str, ...]
    sampling: Sampling


def generation(body: Mapping[str, Any], wire: str, honoured: frozenset[str]) -> Generation:
    """Read what both wires share. Raises ``UnsupportedParameter`` and ``InvalidRequest`` naming
    the field."""
    for name, value in body.items():
        if value is not None and name not in _SERVERS_OWN and name not in honoured:
            raise UnsupportedParameter(
                f"This engine cannot honour the parameter {name[:100]!r}.",
                param=name[:100],
                fix="Leave it out.",
            )
    options = body.get("stream_options")
    return Generation(
        wire,
        _flag(body, "stream"),
        isinstance(options, Mapping) and options.get("include_usage") is True,
        _number(body, "n", True, 1, MOST_CHOICES) or 1,
        _number(body, "max_tokens", True, 1, 10_000_000),
        _stops(body.get("stop")),
        _sampling(body, wire, honoured),
    )


def _sampling(body: Mapping[str, Any], wire: str, honoured: frozenset[str]) -> Sampling:
    known = {name: _number(body, name, *bounds) for name, bounds in _NUMBERS.items()}
    special = {"logit_bias", "logprobs", "top_logprobs"}
    more = {
        name: value
        for name, value in body.items()
        if name in honoured and value is not None and name not in _NUMBERS and name not in special
    }
    return Sampling(**known, logit_bias=_biases(body), logprobs=_logprobs(body, wire), more=more)


def _logprobs(body: Mapping[str, Any], wire: str) -> int | None:
    """Return how many alternatives are asked for; None where no probability is."""
    if wire == "completion":
        most: int | None = _number(body, "logprobs", True, 0, MOST_TOP[wire])
        return most
    if not _flag(body, "logprobs"):
        if body.get("top_logprobs"):
            raise _wrong("top_logprobs", "goes with logprobs: true")
        return None
    return _number(body, "top_logprobs", True, 0, MOST_TOP[wire]) or 0


def _biases(body: Mapping[str, Any]) -> Mapping[int, float] | None:
    given = body.get("logit_bias")
    if given is None:
        return None
    if not isinstance(given, Mapping) or len(given) > MOST_BIASES:
        raise _wrong("logit_bias", f"is an object of at most {MOST_BIASES} tokens")
    found = {}
    for token, bias in given.items():
        if not (token.isascii() and token.isdigit() and len(token) < 10):
            raise _wrong("logit_bias", "has token numbers for its keys")
        found[int(token)] = _checked(bias, "logit_bias", False, -100, 100)
    return found


def _stops(given: Any) -> tuple[str, ...]:
    stops = [given] if isinstance(given, str) else given
    if stops is None:
        return ()
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise _wrong("stop", "is a text or a list of texts")
    if len(stops) > MOST_STOPS:
        raise _wrong("stop", f"has at most {MOST_STOPS} texts")
    return tuple(stop for stop in stops if stop)


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise _wrong(name, "is true or false")


def _number(body: Mapping[str, Any], name: str, is_whole: bool, least: float, most: float) -> Any:
    value = body.get(name)
    return None if value is None else _checked(value, name, is_whole, least, most)


def _checked(value: Any, name: str, is_whole: bool, least: float, most: float) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most or not math.isfinite(value):
        raise _wrong(name, f"is a number from {least:g} to {most:g}")
    if is_whole and value != int(value):
        raise _wrong(name, "is a whole number")
    return int(value) if is_whole else float(value)


def _wrong(name: str, what: str) -> InvalidRequest:
    return InvalidRequest(
        f"The field {name!r} is wrong: it {what}.", param=name, fix=f"Correct {name!r}."
    )


def messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the turns, each content as one text. Raises ``InvalidRequest``, and
    ``ModelNotCapable`` for a part that is no text."""
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise _wrong("messages", "is a list of at least one message")
    return [_message(one, place) for place, one in enumerate(given)]


def _message(given: Any, place: int) -> dict[str, Any]:
    name = f"messages[{place}]"
    if not isinstance(given, dict) or given.get("role") not in _ROLES:
        raise _wrong(f"{name}.role", f"is one of {', '.join(sorted(_ROLES))}")
    content = given.get("content")
    if isinstance(content, list):
        for at, part in enumerate(content):
            if not isinstance(part, dict) or part.get("type") != "text":
                raise ModelNotCapable(
                    "This engine reads texts only.", param=f"{name}.content[{at}]"
                )
        content = "".join(str(part.get("text", "")) for part in content)
    if content is not None and not isinstance(content, str):
        raise _wrong(f"{name}.content", "is a text or a list of parts")
    return {**given, "content": content or ""}


def prompt(body: Mapping[str, Any]) -> str | list[int]:
    """Return the prompt of a completion: a text, or its tokens."""
    given = body.get("prompt")
    if isinstance(given, str):
        return given
    if isinstance(given, list) and _are_tokens(given):
        return given
    raise _wrong("prompt", "is a text, or a list of tokens")


def inputs(body: Mapping[str, Any]) -> Sequence[str | list[int]]:
    """Return the texts to embed, each as a text or as its tokens."""
    for name in body:
        if name not in ("model", "input") and body[name] not in (None, "float"):
            raise UnsupportedParameter(
                f"This engine cannot honour the parameter {name[:100]!r}.",
                param=name[:100],
                fix="Leave it out.",
            )
    given = body.get("input")
    listed = [given] if isinstance(given, str) or _are_tokens(given) else given
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_INPUTS:
        raise _wrong("input", f"is a text or a list of at most {MOST_INPUTS}")
    if not all(isinstance(one, str) or _are_tokens(one) for one in listed):
        raise _wrong("input", "holds texts, or lists of tokens")
    return listed


def _are_tokens(given: Any) -> bool:
    return (
        isinstance(given, list)
        and bool(given)
        and all(type(token) is int and 0 <= token < 2**31 for token in given)
    )
