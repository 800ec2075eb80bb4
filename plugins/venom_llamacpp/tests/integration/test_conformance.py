"""The embedded engine keeps the rules of the provider interface, with the real llama.cpp."""

from __future__ import annotations

from pathlib import Path

import pytest

from venom_core.testing import ProviderConformance, Trial
from venom_core.testing.surroundings import OUTSIDE
from venom_llamacpp import conformance


@pytest.mark.timeout(600)
class TestReal(ProviderConformance):
    @pytest.fixture
    def trial(self, real_models: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
        monkeypatch.setitem(OUTSIDE, "VENOM_HOME", str(real_models.parent))
        return conformance.real
