"""Keep what plugins were written against: each name, each argument, each field and each value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.sdk_reference import kept, surface
from tools.sdk_reference.kept import Shape, breaks, present


def test_nothing_of_the_api_is_taken_away() -> None:
    assert kept.problems(surface.sections()) == []


def test_what_is_new_is_added_and_what_is_gone_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that comes later is a promise from then on; none is taken back by writing."""
    sections = surface.sections()
    now = present(sections)
    monkeypatch.setattr(kept, "LOCK", tmp_path / "api.json")
    kept.LOCK.write_text(json.dumps({"delta": now["delta"]}))
    assert json.loads(kept.written(sections)) == now
    kept.LOCK.write_text(json.dumps({"delta": now["delta"], "epsilon": {}}))
    assert kept.problems(sections) == ["venom_core.sdk.epsilon is gone"]
    assert set(json.loads(kept.written(sections))) == {"delta", "epsilon"}


CALL = {"a": ["either", True], "b": ["either", False], "c": ["keyword", False]}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (CALL, []),
        (CALL | {"d": ["keyword", False]}, []),
        (CALL | {"d": ["more", True]}, []),
        (CALL | {"d": ["keyword", True]}, ["f: wants d, which is new"]),
        (CALL | {"c": ["keyword", True]}, ["f: wants c, which could be left out"]),
        ({"a": CALL["a"], "b": CALL["b"]}, ["f: takes no c any more"]),
        (
            {"b": CALL["b"], "a": CALL["a"], "c": CALL["c"]},
            ["f: takes b, a by place, and took a, b"],
        ),
        (CALL | {"b": ["keyword", False]}, ["f: takes a by place, and took a, b"]),
        (CALL | {"a": ["positional", True]}, ["f: takes a by place only"]),
    ],
    ids=[
        "the same", "one more", "any more", "one more that must be", "one that must be",
        "one less", "another order", "by keyword only", "by place only",
    ],
)  # fmt: skip
def test_how_a_call_breaks(now: dict[str, Any], said: list[str]) -> None:
    assert list(breaks({"f": {"takes": CALL}}, {"f": {"takes": now}})) == said


def test_how_a_name_breaks() -> None:
    old: dict[str, Shape] = {"E": {"has": {"A": "a", "B": "b"}}, "gone": {}}
    assert list(breaks(old, {"E": {"has": {"A": "a", "B": "c", "C": "d"}}})) == [
        "E.B is gone, or is another",
        "gone is gone",
    ]
