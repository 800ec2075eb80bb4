"""The counters of requests: whatever names there are, the page stays small and readable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from venom_core.accounting import metering
from venom_core.accounting.metering import Meter
from venom_core.sdk.hookspecs import ObservedEvent

HOSTILE = [
    'a"b', "a\\b", "a\nb", "a}b{c=\"d\"} 1", "", " ", "zażółć", "\u202egnp", "\x00", "\udc80",
    "m" * 5000,
]  # fmt: skip


def finished(**data: Any) -> ObservedEvent:
    whole = {
        "provider": "p", "model": "m", "code": None, "prompt_tokens": 1, "completion_tokens": 2,
        "ttft_seconds": 0.5, "duration_seconds": 1.0,
    }  # fmt: skip
    return ObservedEvent("chat.finished", {**whole, **data})


def refused(code: str) -> ObservedEvent:
    return ObservedEvent("request.refused", {"provider": None, "model": None, "code": code})


def families(meter: Meter) -> list[Metric]:
    """Read the page as Prometheus does."""
    return list(text_string_to_metric_families(meter.exposition()[0].decode("utf-8")))


def samples(meter: Meter) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in families(meter):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                yield sample.name, sample.labels, sample.value


def count(meter: Meter, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels."""
    return sum(
        value
        for found, of, value in samples(meter)
        if found == name and labels.items() <= of.items()
    )


@pytest.mark.parametrize(
    ("field", "label", "most"),
    [
        ("provider", "provider", metering.MAX_PROVIDERS),
        ("model", "model", metering.MAX_MODELS),
        ("code", "code", metering.MAX_CODES),
    ],
)
def test_a_flood_of_names_makes_no_flood_of_series(field: str, label: str, most: int) -> None:
    meter = Meter()
    for number in range(5000):
        meter.venom_observe(finished(**{field: f"stranger-{number}"}))
    values = {of[label] for name, of, _ in samples(meter) if name == "venom_requests_total"}
    assert len(values) == most + 1
    assert values >= {"other", "stranger-0", f"stranger-{most - 1}"}
    assert count(meter, "venom_requests_total") == 5000
    assert count(meter, "venom_requests_total", **{label: "other"}) == 5000 - most
    assert count(meter, "venom_requests_total", **{label: "stranger-1"}) == 1


def test_a_flood_on_every_side_at_once_is_one_page() -> None:
    meter = Meter()
    for number in range(40_000):
        place = {"provider": f"p{number % 300}", "model": f"m{number}", "code": f"c{number % 77}"}
        meter.venom_observe(finished(**place))
        meter.venom_observe(refused(f"r{number}"))
    models = metering.MAX_MODELS + metering.MAX_PROVIDERS + 1
    assert len(meter.metrics().series) <= models
    assert len(list(samples(meter))) <= models * (metering.MAX_CODES + 1 + 40)
    assert count(meter, "venom_requests_total") == 40_000
    assert count(meter, "venom_refused_requests_total") == 40_000


def test_who_was_there_first_keeps_its_series() -> None:
    meter = Meter()
    meter.venom_observe(finished(model="gemma"))
    for number in range(500):
        meter.venom_observe(finished(model=f"m{number}"))
    meter.venom_observe(finished(model="gemma"))
    assert count(meter, "venom_requests_total", model="gemma") == 2
    assert count(meter, "venom_requests_total", model="other", provider="p") > 0


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_escaped_and_read_back(text: str) -> None:
    meter = Meter()
    meter.venom_observe(finished(provider=text, model=text, code=text or None))
    meter.venom_observe(refused(text))
    expected = text[: metering.MAX_LABEL].encode("utf-8", "replace").decode()
    found = [of for name, of, _ in samples(meter) if name == "venom_requests_total"]
    assert found == [{"provider": expected, "model": expected, "code": expected or "ok"}]
    assert count(meter, "venom_refused_requests_total", code=expected) == 1


def test_what_is_no_request_is_not_counted() -> None:
    meter = Meter()
    meter.venom_observe(ObservedEvent("plugin.state", {"plugin": "p"}))
    assert list(samples(meter)) == []
