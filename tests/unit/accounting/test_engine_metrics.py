"""The metrics of engines: read, bounded, relabelled, put together."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from venom_core.accounting import engine_metrics as module
from venom_core.accounting.engine_metrics import engine_exposition
from venom_core.sdk.provider import EngineMetrics

GOOD = b"# TYPE good gauge\ngood 1\n"


def exposed(*texts: bytes, provider: str = "p") -> list[str]:
    """Return the samples of engines ``m0``, ``m1``, ..."""
    engines = [EngineMetrics(f"m{number}", text) for number, text in enumerate(texts)]
    lines = engine_exposition({provider: engines}).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a:b 2\n", ['a:b{model="m0",provider="p"} 2.0']),
        (b"a NaN\n", ['a{model="m0",provider="p"} NaN']),
        (b'a{x="1"} 2 1700000000\n', ['a{model="m0",provider="p",x="1"} 2.0']),
        (
            b'a{model="x",provider="y"} 2\n',
            ['a{exported_model="x",exported_provider="y",model="m0",provider="p"} 2.0'],
        ),
        (b'a{x="\\"\\n"} 2\n', ['a{model="m0",provider="p",x="\\"\\n"} 2.0']),
        (b"# TYPE a_total counter\na_total 2\n", ['a_total{model="m0",provider="p"} 2.0']),
        (
            b'# TYPE a histogram\na_bucket{le="+Inf"} 2\na_count 2\na_sum 3\n',
            [
                'a_bucket{le="+Inf",model="m0",provider="p"} 2.0',
                'a_count{model="m0",provider="p"} 2.0',
                'a_sum{model="m0",provider="p"} 3.0',
            ],
        ),
        (b"a 1\na 2\n", ['a{model="m0",provider="p"} 1.0']),
        (b"venom_requests_total 9\nvenom_x 9\na 1\n", ['a{model="m0",provider="p"} 1.0']),
    ],
    ids=[
        "nothing", "plain", "nan", "timestamp", "labels like ours", "escapes", "counter",
        "histogram", "twice", "ours",
    ],
)  # fmt: skip
def test_what_an_engine_tells_is_relabelled(text: bytes, lines: list[str]) -> None:
    assert exposed(text) == lines


@pytest.mark.parametrize(
    "text",
    [
        b"\xff 1\n", b"a{x 1\n", b"a{x=1} 1\n", b"a one\n", b"<html>", b"# TYPE a nonsense\na 1\n",
        b"fine 1\n{{{\n", b"a 1\n" * 100_000,
    ],
    ids=["no text", "unclosed", "unquoted", "no number", "html", "no type", "half", "too large"],
)  # fmt: skip
def test_one_that_cannot_be_read_leaves_the_others(text: bytes) -> None:
    assert exposed(text, GOOD) == ['good{model="m1",provider="p"} 1.0']


def test_engines_of_one_kind_share_their_families() -> None:
    text = b"# HELP a What.\n# TYPE a gauge\na 1\n"
    engines = {"p": [EngineMetrics("m", text)], "q": [EngineMetrics("m", text)]}
    whole = engine_exposition(engines).decode()
    assert whole.count("# TYPE a gauge") == whole.count("# HELP a What.") == 1
    (family,) = text_string_to_metric_families(whole)
    assert [sample.labels["provider"] for sample in family.samples] == ["p", "q"]
    of_another_type = b"# TYPE a histogram\na_count 5\n"
    assert exposed(text, of_another_type) == ['a{model="m0",provider="p"} 1.0']


def test_so_many_series_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SERIES", 3)
    text = b'# TYPE a gauge\na{x="1"} 1\na{x="2"} 1\n'
    assert len(exposed(text, text)) == 3
