"""Capabilities by a kept self-test, and until when it counts."""

from __future__ import annotations

from typing import Any

import pytest

from venom_core.models.registry import ListedModel
from venom_core.models.self_tests import capability_states, self_test_view
from venom_core.sdk.provider import Model
from venom_core.store.self_tests import SelfTest

CAN: Any = frozenset({"chat", "completion", "embedding", "tools", "vision", "thinking"})
ROWS = (
    ("answers", "chat", "honoured"),
    ("answers", "completion", "broken"),
    ("tools", "required", "emulated"),
    ("roles", "images", "refused"),
)


def listed(digest: str | None = "d", capabilities: Any = CAN) -> ListedModel:
    model = Model("m", "folder", capabilities=capabilities, digest=digest)
    return ListedModel("p", model, "m")


def kept(version: str | None = "1", digest: str | None = "d") -> SelfTest:
    rows = [{"group": group, "name": name, "outcome": outcome} for group, name, outcome in ROWS]
    return SelfTest("2026-11-27T00:00:00Z", "2026.11.0", version, digest, rows)


def test_each_capability_has_the_state_of_its_question() -> None:
    assert capability_states(listed(), kept()) == {
        "chat": "verified", "completion": "failed", "embedding": "declared",
        "thinking": "declared", "tools": "verified", "vision": "failed",
    }  # fmt: skip


def test_without_a_test_all_is_declared_and_the_unknown_stays_unknown() -> None:
    assert capability_states(listed(), None) == dict.fromkeys(sorted(CAN), "declared")
    assert self_test_view(listed(), None, "1") is None
    assert capability_states(listed(capabilities=None), kept()) is None


@pytest.mark.parametrize(
    ("test", "digest", "version", "outdated"),
    [
        (kept(), "d", "1", False),
        (kept(), "d", None, False),  # the engine tells no version yet
        (kept(), "d", "2", True),
        (kept(), "e", "1", True),
        (kept(), None, "1", True),
        (kept(version=None), "d", "1", True),
        (kept(version=None, digest=None), None, None, False),
    ],
)
def test_another_engine_or_another_file_makes_it_outdated(
    test: SelfTest, digest: str | None, version: str | None, outdated: bool
) -> None:
    view = self_test_view(listed(digest), test, version)
    assert view is not None and view["outdated"] is outdated
