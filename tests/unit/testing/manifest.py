"""The manifest of a provider that keeps every rule, and that tests break."""

from __future__ import annotations

from venom_core.sdk import BuildFormat, Capability, ProviderSpec, Setting, hookimpl

PARAMETERS = frozenset(
    {"temperature", "top_k", "max_tokens", "stop", "tools", "dimensions", "reasoning_effort"}
)
SPEC = ProviderSpec(
    name="lawful",
    title="Lawful",
    summary="Keeps every rule.",
    factory="tests.unit.testing.lawful:Lawful",
    capabilities=frozenset(Capability),
    parameters=PARAMETERS,
    builds=(BuildFormat("law", ("int8",)),),
    settings=(
        Setting("url", "str", "memory", "Where it is."),
        Setting("api_key", "str", None, "Its key.", secret=True),
    ),
)


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [SPEC]
