"""Events in the terms of the conventions."""

from __future__ import annotations

from typing import Any

import pytest

from venom_core.sdk.hookspecs import ObservedEvent
from venom_otel import conventions
from venom_otel.conventions import DURATION, TOKENS, TPOT, TTFT, operation_of

FINISHED = {
    "request_id": "req-1", "key_id": None, "operation": "chat", "provider": "ollama",
    "model": "gemma3:4b", "runs_at": None, "code": None, "duration_seconds": 3.0,
    "traceparent": None, "stream": True, "wire": "chat", "pieces": 5, "prompt_tokens": 10,
    "completion_tokens": 5, "cached_tokens": None, "ttft_seconds": 1.0,
    "finish_reasons": ["stop"], "parameters": {"temperature": 0.5},
}  # fmt: skip
REFUSED = {
    name: FINISHED[name]
    for name in ("request_id", "key_id", "operation", "runs_at", "duration_seconds", "traceparent")
}
NOBODY = {"provider": None, "model": None, "code": "model_not_found"}


def operation(name: str = "chat.finished", **data: Any) -> conventions.Operation:
    base = {**REFUSED, **NOBODY} if name == "request.refused" else FINISHED
    return operation_of(ObservedEvent(name, {**base, **data}))


def test_a_stream() -> None:
    done = operation()
    assert (done.name, done.error, done.seconds) == ("chat gemma3:4b", None, 3.0)
    assert done.common == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "ollama",
        "gen_ai.request.model": "gemma3:4b", "gen_ai.response.model": "gemma3:4b",
    }  # fmt: skip
    assert done.own == {
        "gen_ai.request.stream": True, "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5, "venom.request.id": "req-1",
        "gen_ai.request.temperature": 0.5, "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 1.0,
    }  # fmt: skip
    assert [(name, value) for name, value, _ in done.measured] == [
        (DURATION, 3.0), (TOKENS, 10), (TOKENS, 5), (TTFT, 1.0), (TPOT, 0.5),
    ]  # fmt: skip
    kinds = [more.get("gen_ai.token.type") for _, _, more in done.measured]
    assert kinds == [None, "input", "output", None, None]


@pytest.mark.parametrize(
    ("data", "measured"),
    [
        ({"stream": False}, [DURATION, TOKENS, TOKENS]),
        ({"code": "client_gone"}, [DURATION, TOKENS, TOKENS]),
        ({"completion_tokens": 1}, [DURATION, TOKENS, TOKENS, TTFT]),
        ({"completion_tokens": None}, [DURATION, TOKENS, TTFT]),
        ({"ttft_seconds": None}, [DURATION, TOKENS, TOKENS]),
        ({"prompt_tokens": None, "completion_tokens": None}, [DURATION, TTFT]),
    ],
)
def test_what_is_not_known_is_not_measured(data: dict[str, Any], measured: list[str]) -> None:
    assert [name for name, _, _ in operation(**data).measured] == measured


def test_what_failed_says_so_in_spans_and_metrics() -> None:
    done = operation(code="upstream_incomplete", runs_at="far.example", key_id="k1")
    assert done.error == "upstream_incomplete"
    assert done.common["error.type"] == "upstream_incomplete"
    assert done.common["server.address"] == "far.example"
    assert done.own["venom.key.id"] == "k1"
    assert all(more["error.type"] == "upstream_incomplete" for _, _, more in done.measured)
    assert not any("venom.key.id" in more for _, _, more in done.measured)


def test_a_refused_one_was_answered_by_nobody() -> None:
    done = operation("request.refused")
    assert done.name == "chat"
    assert done.common == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "venom",
        "error.type": "model_not_found",
    }  # fmt: skip
    assert [name for name, _, _ in done.measured] == [DURATION]
    known = operation("request.refused", provider="ollama", model="m", code="queue_full")
    assert known.common["gen_ai.request.model"] == "m"
    assert "gen_ai.response.model" not in known.common


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("chat", "chat"),
        ("completion", "text_completion"),
        ("embed", "embeddings"),
        ("rerank", "rerank"),
        ("dream", "dream"),
    ],
)
def test_operations_have_the_conventions_words(asked: str, told: str) -> None:
    name = "embed.finished" if asked == "embed" else "chat.finished"
    assert operation(name, operation=asked).common["gen_ai.operation.name"] == told


def test_the_names_are_the_librarys() -> None:
    """The plugin writes them out: the library may move what it calls incubating."""
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
    from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

    known = {
        value for module in (gen_ai_attributes, gen_ai_metrics)
        for name, value in vars(module).items() if name.startswith("GEN_AI_")
    }  # fmt: skip
    done = operation(cached_tokens=3, parameters=dict.fromkeys(conventions.PARAMETERS, 1))
    used = {*done.common, *done.own, *conventions.METRICS}
    used |= {name for _, _, more in done.measured for name in more}
    ours = {"venom.request.id", "venom.key.id"}
    assert used - known - ours == {"error.type", "server.address"} & used
    assert len(used & known) >= 20


def test_units_are_the_librarys() -> None:
    from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

    class Meter:
        def create_histogram(self, name: str, description: str = "", unit: str = "") -> Any:
            return unit

    for name, (unit, bounds) in conventions.METRICS.items():
        make = getattr(gen_ai_metrics, f"create_{name.replace('.', '_')}")
        assert make(Meter()) == unit
        assert list(bounds) == sorted(set(bounds))
