"""The remote provider keeps the rules of the provider interface."""

from __future__ import annotations

import pytest

from venom_core.testing import ProviderConformance, Trial
from venom_remote import conformance


class TestScripted(ProviderConformance):
    @pytest.fixture
    def trial(self) -> Trial:
        return conformance.scripted
