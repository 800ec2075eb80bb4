"""Builds: model files of another format, made on this machine of a model that is installed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

from venom_core.models.registry import ModelRegistry
from venom_core.models.views import BuildFormatView
from venom_core.plugins.access import ProviderAccess
from venom_core.plugins.names import RESERVED_NAMES
from venom_core.sdk.errors import InvalidRequest, NotFound, UpstreamIncomplete, VenomError
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import BuildProgress, BuildRequest, PullPlan
from venom_core.sdk.spec import BuildFormat, Capability


class ModelBuilds:
    """Plan and carry out builds. Which provider builds which formats is what the declarations say:
    none is known by name here."""

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        report: Callable[[ObservedEvent], None],
    ) -> None:
        self._host = host
        self._registry = registry
        self._report = report

    async def plan(
        self, name: str, format_name: str, precision: str | None, execution_provider: str | None
    ) -> tuple[str, BuildRequest, PullPlan]:
        """Return the provider that builds the format, what it is asked for, and its plan.

        Args:
            name: an installed model with a folder of its own.
            precision, execution_provider: None for the format's own defaults.

        Raises ``NotFound`` (``builder_not_found``), ``InvalidRequest`` (``unknown_precision``,
        ``unknown_execution_provider``, ``not_buildable``), ``ModelNotFound``, and what the provider
        refuses.
        """
        provider, form = await self._builder(format_name)
        wanted = {
            "format": form.name,
            "precision": _precision(form, precision, await self._preferred(provider, form)),
            "execution_provider": _execution_provider(form, execution_provider),
        }
        request = await self._request(name, wanted)
        plan = await (await self._host.provider(provider)).plan_build(request)
        return provider, request, plan

    async def formats(self) -> list[BuildFormatView]:
        """Return what can be built here, the first provider of each format."""
        found: dict[str, BuildFormatView] = {}
        for provider, form in await self._known():
            if form.name in found:
                continue
            precision = form.precisions[0]
            # Why a provider cannot build now is told to whoever builds.
            with contextlib.suppress(VenomError):
                precision = await self._preferred(provider, form)
            found[form.name] = {
                "format": form.name,
                "provider": provider,
                "precisions": list(form.precisions),
                "precision": precision,
                "execution_providers": list(form.execution_providers),
            }
        return list(found.values())

    async def run(
        self, provider_name: str, ref: str, parameters: Mapping[str, Any]
    ) -> AsyncGenerator[BuildProgress, None]:
        """Build; ends after ``completed``, else raises. ``aclose()`` stops it, and another run of
        the same goes on behind the steps that are done.

        Args:
            parameters: those of :func:`parameters_of`.
        """
        request = await self._request(parameters["source"], parameters)
        provider = await self._host.provider(provider_name)
        completed = False
        async with contextlib.aclosing(provider.build(request)) as steps:
            async for step in steps:
                completed = step.status == "completed"
                if completed:
                    self._registry.forget(provider_name)
                    event = {"provider": provider_name, "model": ref, "source": request.source}
                    self._report(ObservedEvent("model.built", event))
                yield step
        if not completed:
            raise UpstreamIncomplete(
                "The build ended before it was complete.", fix="Build it again."
            )

    async def forget(self, provider_name: str, parameters: Mapping[str, Any]) -> None:
        """Delete what a stopped build left behind, also where its source is gone."""
        wanted = {name: str(parameters[name]) for name in _FIELDS}
        request = BuildRequest(folder=Path(parameters["folder"]), **wanted)
        await (await self._host.provider(provider_name)).forget_build(request)

    async def _preferred(self, provider: str, form: BuildFormat) -> str:
        """Return the precision of a build that names none."""
        if form.default is None:
            return form.precisions[0]
        context = (await self._host.provider(provider)).context
        value = context.settings.get(form.default)
        return value if isinstance(value, str) and value else form.precisions[0]

    async def _builder(self, format_name: str) -> tuple[str, BuildFormat]:
        for name, form in await self._known():
            if form.name == format_name:
                return name, form
        fix = "See the installed plugins with: venom plugins"
        if format_name in RESERVED_NAMES:
            fix = f"Install the plugin: venom plugins install {format_name}"
        raise NotFound(
            f"No installed plugin builds models of the format {format_name!r}.",
            code="builder_not_found",
            param="format",
            fix=fix,
        )

    async def _known(self) -> list[tuple[str, BuildFormat]]:
        names = await self._registry.providers()  # at a start, plugins are loading still
        specs = self._host.specs()
        builders = (name for name in names if Capability.BUILD in specs[name].capabilities)
        return [(name, form) for name in builders for form in specs[name].builds]

    async def _request(self, name: str, wanted: Mapping[str, Any]) -> BuildRequest:
        item = await self._registry.resolve(name)
        folder = item.model.location
        if folder is None or not await asyncio.to_thread(folder.is_dir):
            raise InvalidRequest(
                f"{item.reference} is no folder with a model, from which another can be built.",
                code="not_buildable",
                param="model_name",
                fix="Build from a model of the type folder; venom list shows the types.",
            )
        return BuildRequest(
            item.reference,
            folder,
            wanted["format"],
            wanted["precision"],
            wanted["execution_provider"],
        )


_FIELDS = ("source", "format", "precision", "execution_provider")


def parameters_of(request: BuildRequest) -> dict[str, str]:
    """Return a request as the store keeps it."""
    kept = {name: str(getattr(request, name)) for name in _FIELDS}
    return kept | {"folder": str(request.folder)}


def _precision(form: BuildFormat, value: str | None, preferred: str) -> str:
    value = preferred if value is None else value
    if value in form.precisions:
        return value
    raise InvalidRequest(
        f"{form.name} models are not built with the precision {value!r}.",
        code="unknown_precision",
        param="precision",
        fix=f"Choose one of: {', '.join(form.precisions)}",
    )


def _execution_provider(form: BuildFormat, value: str | None) -> str:
    if value is None or value in form.execution_providers:
        return value or form.execution_providers[0]
    raise InvalidRequest(
        f"{form.name} models are not built for the execution provider {value!r}.",
        code="unknown_execution_provider",
        param="execution_provider",
        fix=f"Choose one of: {', '.join(form.execution_providers)}",
    )
