"""The progress of a start, of what vLLM prints."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from venom_vllm.starting import progress

RECORDED: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("starting.toml").read_text(encoding="utf-8")
)
LINES = [step["line"] for step in RECORDED["step"]]


@pytest.mark.parametrize("place", range(len(LINES)))
def test_a_start_from_its_first_line_to_its_last(place: int) -> None:
    assert progress(LINES[: place + 1]) == RECORDED["step"][place].get("progress")


@pytest.mark.parametrize("step", RECORDED["card"], ids=lambda step: step["progress"])
def test_what_is_made_on_a_card(step: dict[str, str]) -> None:
    assert progress([*LINES[:7], step["line"], "something else"]) == step["progress"]
