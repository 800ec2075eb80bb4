"""A provider whose library is gone is in a state that says so, wherever it is first needed."""

from __future__ import annotations

import importlib

import pytest

from tests.unit.plugins.distributions import PROVIDER, install_plugin
from tests.unit.plugins.test_providers import HEALTH, OPEN, with_body
from venom_core.sdk.errors import EngineMissing
from venom_core.sdk.states import ProviderStatus

MODELS = "async def models(self):"
USE = "import acme_library; return []"
WHERE = {
    "the module": f"import acme_library\n{PROVIDER}",
    "open": with_body(method=OPEN, body=USE),
    "models": with_body(method=MODELS, body=USE),
}


@pytest.mark.parametrize("where", WHERE)
async def test_a_library_that_is_gone_is_a_state(site, make_host, where: str) -> None:
    install_plugin(site, "acme", provider=WHERE[where])
    host = make_host()
    host.scan()
    for _ in range(2):  # asked again it is the same, and not a fault of ours
        with pytest.raises(EngineMissing) as caught:
            await (await host.provider("acme")).models()
        assert "needs acme_library, which is not installed" in caught.value.message
        assert "venom plugins install acme" in str(caught.value.fix)
        (record,) = host.records()[0].providers
        assert record.status is ProviderStatus.UNAVAILABLE
        assert record.reason.code == "engine_missing"
        assert (await host.health("acme")).reason.code == "engine_missing"
    (site / "acme_library.py").write_text("")  # the fix is done
    importlib.invalidate_caches()  # as the installer does
    assert not await (await host.provider("acme")).models()
    assert (await host.health("acme")).status is ProviderStatus.READY
    assert host.records()[0].providers[0].status is ProviderStatus.READY
    await host.close()


async def test_a_module_of_its_own_that_is_missing_is_its_own_fault(site, make_host) -> None:
    install_plugin(site, "acme", provider=f"import venom_acme.lost\n{PROVIDER}")
    host = make_host()
    host.scan()
    assert (await host.health("acme")).reason.code == "factory_failed"
    await host.close()


def test_the_good_provider_has_what_is_replaced() -> None:
    assert MODELS in PROVIDER and HEALTH in PROVIDER
