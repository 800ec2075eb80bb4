"""The part keeps the rules of the provider interface that are not about models."""

from __future__ import annotations

import pytest

from venom_core.testing import ProviderConformance, Trial
from venom_otel import conformance


class TestIdle(ProviderConformance):
    @pytest.fixture
    def trial(self) -> Trial:
        return conformance.idle
