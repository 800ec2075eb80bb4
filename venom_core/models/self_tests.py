"""Capabilities of a model as its self-test saw them, or as they are declared only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict

from venom_core.models.registry import ListedModel
from venom_core.sdk.provider import ModelCapability
from venom_core.store.self_tests import SelfTest

#: ``honoured``: the engine does it. ``emulated``: Venom brings it about. ``refused``: by name, as
#: nobody does it here. ``broken``: something else happened.
Outcome = Literal["honoured", "emulated", "refused", "broken"]
#: ``verified``: a self-test of this model by this engine saw it. ``failed``: it asked, and did not
#: see it. ``declared``: nobody asked; the model's provider says so.
CapabilityState = Literal["verified", "failed", "declared"]
#: The question of a self-test by which a capability is seen, as its group and name.
_SEEN_BY: Mapping[ModelCapability, tuple[str, str]] = {
    "chat": ("answers", "chat"),
    "completion": ("answers", "completion"),
    "embedding": ("embeddings", "vectors"),
    "tools": ("tools", "required"),
    "vision": ("roles", "images"),
}
_WORKS = frozenset({"honoured", "emulated"})


class SelfTestView(TypedDict):
    """The last self-test of a model. ``outdated``: its file or its engine is another one since;
    ``tested_at`` is ISO 8601 in UTC."""

    tested_at: str
    engine_version: str | None
    venom_version: str
    outdated: bool


def self_test_view(
    item: ListedModel, test: SelfTest | None, engine_version: str | None
) -> SelfTestView | None:
    """Return the last self-test; None where there was none.

    Args:
        engine_version: of the engine that serves the model now; None where it tells none yet.
    """
    if test is None:
        return None
    other_file = test.digest != item.model.digest
    other_engine = engine_version is not None and test.engine_version != engine_version
    return {
        "tested_at": test.tested_at,
        "engine_version": test.engine_version,
        "venom_version": test.venom_version,
        "outdated": other_file or other_engine,
    }


def capability_states(
    item: ListedModel, test: SelfTest | None
) -> dict[str, CapabilityState] | None:
    """Return what is known of each declared capability; None where none is declared.

    Args:
        test: the last self-test that is not outdated.
    """
    if item.model.capabilities is None:
        return None
    outcomes = {} if test is None else test.outcomes
    return {name: _state(name, outcomes) for name in sorted(item.model.capabilities)}


def _state(capability: ModelCapability, outcomes: Mapping[tuple[str, str], str]) -> CapabilityState:
    outcome = outcomes.get(_SEEN_BY.get(capability, ("", "")))
    if outcome is None:
        return "declared"
    return "verified" if outcome in _WORKS else "failed"
