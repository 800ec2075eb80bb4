"""A provider with settings, for the tests of settings."""

from __future__ import annotations

from venom_core.sdk.spec import ProviderSpec, Setting


def acme(*settings: Setting) -> ProviderSpec:
    """Return a provider called acme-lab that declares some settings."""
    return ProviderSpec(
        name="acme-lab",
        title="Acme",
        summary="A provider for tests.",
        factory="venom_acme.provider:Acme",
        capabilities=frozenset(),
        settings=settings,
    )
