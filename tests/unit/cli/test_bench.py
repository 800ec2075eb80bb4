"""`venom bench` in this process: measured, printed, kept, listed."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Cli
from venom_core.sdk.errors import UpstreamError
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say


@pytest.fixture(autouse=True)
def _models() -> None:
    scripted.SCRIPTS["one"] = Script(say("a", "b", "c"))
    scripted.SCRIPTS["bad"] = Script([UpstreamError("It broke.", code="engine_failed")])


def test_what_was_measured_is_printed_kept_and_listed(cli: Cli) -> None:
    nothing = cli("bench")
    assert (nothing.code, "Nothing was measured yet." in nothing.out) == (0, True)
    result = cli("bench", "one", "--questions", "1")
    assert result.code == 0, result.err
    assert "scripted://one" in result.out
    kept = json.loads(cli("bench", "--json").out)
    assert kept["count"] == 1
    (row,) = kept["benchmarks"][0]["results"]
    assert (row["model_name"], row["questions_tested"]) == ("scripted://one", 1)
    assert "scripted://one" in cli("bench").out


def test_a_model_that_fails_is_told_and_ends_with_one(cli: Cli) -> None:
    result = cli("bench", "one", "bad", "--questions", "1")
    assert result.code == 1
    assert "It broke." in result.out
    told = json.loads(cli("bench", "bad", "--json").out)
    assert told["results"][0]["error"]["code"] == "engine_failed"
    assert cli("bench", "nowhere").code != 0
