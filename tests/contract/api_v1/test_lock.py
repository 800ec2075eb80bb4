"""The contract holds, and no key or parameter that was ever locked is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contract.api_v1.contract import CONTRACT
from tests.contract.api_v1.recording import Recorded, key_paths, record

LOCK = Path(__file__).parents[1] / "openapi.lock.json"


@pytest.fixture
async def recorded(tmp_path: Path) -> Recorded:
    return await record(tmp_path)


async def test_every_operation_answers_and_refuses_as_the_contract_has_it(
    recorded: Recorded, declared_answers: set[str]
) -> None:
    assert recorded.faults == []
    assert recorded.checked > 3 * len(CONTRACT)
    # Each of these answers was held against its declaration, too.
    assert len(declared_answers) == len(CONTRACT)


async def test_nothing_that_is_locked_is_gone(recorded: Recorded) -> None:
    locked = json.loads(LOCK.read_text(encoding="utf-8"))
    gone = [
        f"{operation}: {kind[:-1]} {name}"
        for kind, now in (("keys", recorded.shapes), ("parameters", recorded.parameters))
        for operation, names in locked[kind].items()
        for name in names
        if name not in now.get(operation, ())
    ]
    assert gone == []
    assert set(locked["keys"]) == {one.operation for one in CONTRACT}


def test_paths_into_an_answer() -> None:
    answer = {"a": [{"b": 1}, {"c": {"d": None}}], "e": 2}
    assert list(key_paths(answer)) == ["a", "a[].b", "a[].c", "a[].c.d", "e"]
