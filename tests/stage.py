"""The scripted provider reset around each test, and patience for busy machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from venom_core.plugins import guarded
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No script of another test, and no provider that a busy machine makes late; a conftest that
    imports it has it for every test below."""
    for verb in ("health", "models", "ps"):
        monkeypatch.setitem(guarded.SECONDS, verb, patience(guarded.SECONDS[verb]))
    scripted.reset()
    yield
    scripted.reset()
