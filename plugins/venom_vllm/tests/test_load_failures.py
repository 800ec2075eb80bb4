"""vLLM's own words on starts that failed, as refusals."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.errors import VenomError
from venom_vllm.load_failures import EXPLAINING_LINES, load_failure

RECORDED: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("load_failures.toml").read_text(encoding="utf-8")
)
BEHIND = [RECORDED["behind"]] * 120


@pytest.mark.parametrize("case", RECORDED["case"], ids=lambda case: case["line"].strip()[:40])
def test_the_cause_is_told_however_much_stands_behind_it(case: dict[str, str]) -> None:
    lines = [*RECORDED["always"], case["line"], *BEHIND]
    refusal = load_failure("m", lines[-EXPLAINING_LINES:])
    assert isinstance(refusal, VenomError)
    assert (refusal.code, refusal.message) == (case["code"], case["message"])
    assert refusal.fix and "/srv" not in refusal.message + refusal.fix


def test_what_is_in_every_log_explains_nothing() -> None:
    assert load_failure("m", [*RECORDED["always"], *BEHIND]) is None


def test_the_first_cause_wins_over_what_follows_from_it() -> None:
    first = RECORDED["case"][0]
    follows = "RuntimeError: Engine core initialization failed. out of memory"
    refusal = load_failure("m", [first["line"], follows])
    assert refusal is not None and refusal.message == first["message"]
