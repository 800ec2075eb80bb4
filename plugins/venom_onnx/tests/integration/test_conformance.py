"""ONNX Runtime keeps the rules of the provider interface, with the real runtime."""

from __future__ import annotations

import pytest

from venom_core.testing import ProviderConformance, Trial
from venom_onnx import conformance


@pytest.mark.timeout(600)
class TestReal(ProviderConformance):
    @pytest.fixture
    def trial(self) -> Trial:
        return conformance.real
