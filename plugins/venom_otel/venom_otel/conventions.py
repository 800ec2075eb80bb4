"""An event in the terms of OpenTelemetry's GenAI conventions: plain data, no library.

The names are those of https://github.com/open-telemetry/semantic-conventions-genai; they are marked
as in development there, so the library has them in its incubating part, and they stand here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.sdk.hookspecs import ObservedEvent

Attribute = str | bool | int | float | tuple[str, ...]

OPERATIONS = {
    "chat": "chat",
    "completion": "text_completion",
    "embed": "embeddings",
    "rerank": "rerank",  # the conventions have no word for it, and allow others
}
#: Who answers a request that no provider was asked.
NOBODY = "venom"
#: A number of the request -> its attribute.
PARAMETERS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "n": "gen_ai.request.choice.count",
}
#: A value of the event -> its attribute, where there is one.
TOLD = {
    "stream": "gen_ai.request.stream",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "request_id": "venom.request.id",
    "key_id": "venom.key.id",
}

DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"
TTFT = "gen_ai.server.time_to_first_token"
TPOT = "gen_ai.server.time_per_output_token"
#: Metric -> unit and the bounds of its buckets, as the conventions advise them.
METRICS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    DURATION: (
        "s",
        (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    ),
    TOKENS: (
        "{token}",
        (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864),
    ),
    TTFT: (
        "s",
        (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    ),
    TPOT: ("s", (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A request: its span without times, and what is measured of it.

    Attributes:
        common: the attributes that the metrics have too; few values each.
        own: further ones of the span.
        error: the code of what went wrong, None where nothing did.
        seconds: how long it took.
        traceparent: the client's place in a trace.
    """

    name: str
    common: Mapping[str, Attribute]
    own: Mapping[str, Attribute]
    measured: tuple[tuple[str, float, Mapping[str, Attribute]], ...]
    error: str | None
    seconds: float
    traceparent: str | None


def operation_of(event: ObservedEvent) -> Operation:
    """Return an event of a request in the terms of the conventions."""
    data = event.data
    operation = OPERATIONS.get(data["operation"], data["operation"])
    model, error = data["model"], data["code"]
    common: dict[str, Attribute] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": data["provider"] or NOBODY,
    }
    if model is not None:
        common["gen_ai.request.model"] = model
        if event.name != "request.refused":
            common["gen_ai.response.model"] = model
    if data["runs_at"] is not None:
        common["server.address"] = data["runs_at"]
    if error is not None:
        common["error.type"] = error
    return Operation(
        name=operation if model is None else f"{operation} {model}",
        common=common,
        own=_own(data),
        measured=tuple((name, value, {**common, **more}) for name, value, more in _measured(data)),
        error=error,
        seconds=data["duration_seconds"],
        traceparent=data["traceparent"],
    )


def _own(data: Mapping[str, Any]) -> dict[str, Attribute]:
    own: dict[str, Attribute] = {
        attribute: data[name] for name, attribute in TOLD.items() if data.get(name) is not None
    }
    numbers = data.get("parameters", {})
    own |= {PARAMETERS[name]: value for name, value in numbers.items() if name in PARAMETERS}
    if reasons := data.get("finish_reasons"):
        own["gen_ai.response.finish_reasons"] = tuple(reasons)
    if data.get("stream") and data["ttft_seconds"] is not None:
        own["gen_ai.response.time_to_first_chunk"] = data["ttft_seconds"]
    return own


def _measured(data: Mapping[str, Any]) -> Iterator[tuple[str, float, Mapping[str, Attribute]]]:
    """Yield metric, value and the attributes beside the common ones."""
    yield DURATION, data["duration_seconds"], {}
    for name, kind in (("prompt_tokens", "input"), ("completion_tokens", "output")):
        if data.get(name) is not None:
            yield TOKENS, data[name], {"gen_ai.token.type": kind}
    first, tokens = data.get("ttft_seconds"), data.get("completion_tokens")
    if data["code"] is None and data.get("stream") and first is not None:
        yield TTFT, first, {}
        if tokens is not None and tokens > 1:
            yield TPOT, (data["duration_seconds"] - first) / (tokens - 1), {}
