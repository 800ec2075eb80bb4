"""The Hugging Face provider keeps the rules of the provider interface."""

from __future__ import annotations

import pytest

from venom_core.testing import ProviderConformance, Trial
from venom_hf import conformance


class TestHub(ProviderConformance):
    @pytest.fixture
    def trial(self) -> Trial:
        return conformance.hub
