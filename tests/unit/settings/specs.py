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


#: Values of the settings that name a place of the network; any text is none.
PLACES: dict[str, str | list[str]] = {
    "allowed_origins": ["http://x", "https://y:8"],
    "root_path": "/x",
    "trusted_proxies": ["10.0.0.1", "10.1.0.0/16"],
}
