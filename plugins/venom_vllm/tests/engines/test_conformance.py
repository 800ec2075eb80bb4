"""vLLM keeps the rules of the provider interface, with the real engine where it is installed."""

from __future__ import annotations

import pytest

from venom_core.testing import ProviderConformance, Trial
from venom_core.testing.surroundings import outside_python
from venom_vllm import conformance
from venom_vllm.plugin import CARD_ENVIRONMENT, CPU_ENVIRONMENT


@pytest.mark.timeout(1800)
class TestReal(ProviderConformance):
    @pytest.fixture
    def trial(self) -> Trial:
        if not any(outside_python("vllm", one) for one in (CARD_ENVIRONMENT, CPU_ENVIRONMENT)):
            pytest.skip("No environment with vLLM is installed: venom engines install vllm --cpu")
        return conformance.real
