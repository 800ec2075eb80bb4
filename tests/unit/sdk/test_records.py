"""The labels that answers show are those of the states."""

from __future__ import annotations

from typing import get_args

from venom_core.sdk.states import (
    PluginState,
    PluginStateLabel,
    ProviderStatus,
    ProviderStatusLabel,
)


def test_every_state_has_its_label() -> None:
    assert list(get_args(PluginStateLabel)) == [state.label for state in PluginState]
    assert list(get_args(ProviderStatusLabel)) == [status.label for status in ProviderStatus]
