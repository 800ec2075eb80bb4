"""The precision of a build that names none: the provider's setting, else the format's first."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from venom_core.models.builds import ModelBuilds
from venom_core.plugins.validation import BadSpec, providers_of
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.provider import BuildRequest, PullPlan
from venom_core.sdk.spec import BuildFormat, Capability, ProviderSpec, Setting


def spec(default: str | None) -> ProviderSpec:
    return ProviderSpec(
        name="acme",
        title="Acme",
        summary="Builds.",
        factory="acme:Acme",
        capabilities=frozenset({Capability.BUILD}),
        settings=(Setting("precision", "str", None, "Precision."),),
        builds=(BuildFormat("acme", ("int8", "int4"), default=default),),
    )


class Builder:
    """A provider that plans every build."""

    def __init__(self, **settings: object) -> None:
        self.context = SimpleNamespace(settings=settings)

    async def plan_build(self, request: BuildRequest) -> PullPlan:
        return PullPlan("built")


class Host:
    def __init__(self, declared: ProviderSpec, provider: Builder) -> None:
        self._declared, self._provider = declared, provider

    def specs(self) -> dict[str, ProviderSpec]:
        return {"acme": self._declared}

    async def provider(self, name: str) -> Builder:
        return self._provider


def builds(default: str | None, value: object, folder: Path) -> ModelBuilds:
    async def providers() -> list[str]:
        return ["acme"]

    async def resolve(name: str) -> Any:
        return SimpleNamespace(reference=f"hf://{name}", model=SimpleNamespace(location=folder))

    registry: Any = SimpleNamespace(providers=providers, resolve=resolve)
    host: Any = Host(spec(default), Builder(precision=value))
    return ModelBuilds(host, registry, lambda _: None)


@pytest.mark.parametrize(
    ("default", "value", "asked", "taken"),
    [
        (None, "int4", None, "int8"),
        ("precision", "int4", None, "int4"),
        ("precision", None, None, "int8"),
        ("precision", "", None, "int8"),
        ("precision", "int4", "int8", "int8"),
    ],
)
async def test_the_precision(
    tmp_path: Path, default: str | None, value: object, asked: str | None, taken: str
) -> None:
    _, request, _ = await builds(default, value, tmp_path).plan("m", "acme", asked, None)
    assert request.precision == taken


async def test_a_setting_that_names_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await builds("precision", "int2", tmp_path).plan("m", "acme", None, None)
    assert refused.value.code == "unknown_precision"


def test_a_default_in_no_setting_is_a_bad_declaration() -> None:
    assert providers_of([spec("precision")], "acme", "acme")
    with pytest.raises(BadSpec, match="setting"):
        providers_of([spec("colour")], "acme", "acme")
