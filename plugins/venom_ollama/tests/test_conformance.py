"""The provider for Ollama keeps the rules of the provider interface, over records of both kinds."""

from __future__ import annotations

import pytest

from venom_core.testing import ProviderConformance, Trial
from venom_ollama import conformance


class TestRecords(ProviderConformance):
    @pytest.fixture
    def trial(self) -> Trial:
        return conformance.records_0_24


class TestCurrent(ProviderConformance):
    @pytest.fixture
    def trial(self) -> Trial:
        return conformance.exchanges_0_32
