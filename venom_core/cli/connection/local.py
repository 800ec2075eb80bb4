"""Venom in this process: where no server runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from venom_core.cli.connection.answer import Answer
from venom_core.cli.connection.interface import Connection, OperationVerb, PluginVerb
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.frames import Chunk
from venom_core.store.audit import Actor

if TYPE_CHECKING:
    from venom_core.chat.stream import ChatStream
    from venom_core.composition import Venom
    from venom_core.models.roles import Role


def make_venom() -> Venom:
    """Over the environment and its data directory; nothing is loaded or opened yet."""
    from venom_core.composition import Venom

    return Venom.from_environment()


class LocalVenom(Connection):
    """The core's own objects behind the interface; closes ``venom`` at the end."""

    def __init__(self, venom: Venom) -> None:
        self.venom = venom

    @classmethod
    async def open(cls, venom: Venom) -> LocalVenom:
        await venom.start()
        return cls(venom)

    async def models(self) -> dict[str, Any]:
        return await self.venom.models()

    async def loaded(self) -> list[dict[str, Any]]:
        return await self.venom.loaded()

    async def details(self, name: str) -> dict[str, Any]:
        from venom_core.models.views import model_view

        return model_view(await self.venom.describe(name), whole=True)

    async def search(
        self, provider: str, query: str, filters: SearchFilters, limit: int, page: int
    ) -> dict[str, Any]:
        from venom_core.models.catalogue_views import search_view

        name, answer = await self.venom.catalogue.search(provider, query, filters, limit, page)
        return search_view(provider, name, query, answer, page, limit)

    async def overview(self) -> dict[str, Any]:
        return await self.venom.overview()

    async def install(self, name: str) -> dict[str, Any]:
        return await self.venom.operations.install(name)

    async def operations(self, limit: int) -> list[dict[str, Any]]:
        if not self.venom.settings.paths.store_file.exists():
            return []  # looking must not make a store
        return await self.venom.operations.list(limit)

    async def operation(self, operation_id: str) -> dict[str, Any]:
        return await self.venom.operations.get(operation_id)

    async def change_operation(self, operation_id: str, verb: OperationVerb) -> dict[str, Any]:
        operations = self.venom.operations
        change = {
            "pause": operations.pause,
            "resume": operations.resume,
            "cancel": operations.cancel,
        }[verb]
        return await change(operation_id)

    async def remove(self, name: str) -> str:
        return f"{await self.venom.transfers.remove(name)} was removed."

    async def unload(self, name: str) -> str:
        return f"{(await self.venom.manager.unload(name)).reference} is no longer in memory."

    async def unload_all(self) -> dict[str, Any]:
        from venom_core.usecases import models as choices

        return await choices.unload_all(self.venom.manager)

    async def use(self, name: str | None, role: str, *, load: bool = False) -> dict[str, Any]:
        from venom_core.usecases import models as choices

        manager, wanted = self.venom.manager, cast("Role", role)
        if name is None:
            return await choices.deactivate(manager, wanted, _actor())
        switch = await manager.use(name, role=wanted, load=load, actor=_actor())
        return {**choices.switch_view(switch), "active_model": switch.item.model.ref}

    async def generation(self, name: str) -> dict[str, Any]:
        return await self.venom.generation(name)

    async def configure(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return await self.venom.configure(name, None, parameters, _actor())

    async def aliases(self) -> dict[str, Any]:
        from venom_core.usecases import models as choices

        return await choices.aliases(self.venom.manager)

    async def set_alias(self, name: str, target: str) -> dict[str, Any]:
        from venom_core.usecases import models as choices

        return await choices.set_alias(self.venom.manager, name, target, _actor())

    async def remove_alias(self, name: str) -> dict[str, Any]:
        from venom_core.usecases import models as choices

        return await choices.remove_alias(self.venom.manager, name, _actor())

    async def fit(self, name: str, context: int | None) -> dict[str, Any]:
        return await self.venom.fit(name, context)

    async def plugins(self) -> list[dict[str, Any]]:
        host = self.venom.host
        await host.load_all()
        await host.refresh()
        return [record.record() for record in host.records()]

    async def change_plugin(self, plugin: str, verb: PluginVerb) -> dict[str, Any]:
        host = self.venom.host
        await host.load_all()
        before = {record.id: {"state": record.state.label} for record in host.records()}
        act = {"enable": host.enable, "disable": host.disable, "retry": host.retry}[verb]
        record = await act(plugin)
        states = (before.get(record.id), {"state": record.state.label})
        done = (f"plugin.{verb}", record.id, *states)
        await asyncio.to_thread(self.venom.audit, _actor(), *done)
        return record.record()

    async def readiness(self) -> list[dict[str, Any]]:
        return [reason.record() for reason in await self.venom.readiness()]

    async def doctor(self) -> list[dict[str, Any]]:
        return [
            {"plugin": report.plugin, "check": report.check, **asdict(report.finding)}
            for report in await self.venom.host.doctor()
        ]

    @contextlib.asynccontextmanager
    async def ask(
        self, model: str | None, body: Mapping[str, Any], *, explain: bool = False
    ) -> AsyncIterator[Answer]:
        from venom_core.chat.service import ChatCall

        asked_at = time.monotonic()
        call = ChatCall(
            model=model,
            body=_checked(body),
            request_id=f"cli-{uuid.uuid4().hex}",
            stream=True,
            include_usage=True,
        )
        stream = await self.venom.chat.open(call)
        try:
            async with contextlib.aclosing(_chunks(stream)) as chunks:
                yield Answer(
                    reference=stream.resolved.reference,
                    chunks=chunks,
                    asked_at=asked_at,
                    because=stream.chosen_because,
                    headers=_headers(call.request_id, stream),
                    origins=stream.origins,
                    upstream_body=stream.upstream_body,
                )
        finally:
            await stream.close()

    async def close(self) -> None:
        await self.venom.close()

    def engine_size(self, provider: str) -> int | None:
        """Bytes that the engine of a loaded plugin adds, as the plugin declares them."""
        spec = self.venom.host.specs().get(provider)
        return spec.engine.size_bytes if spec is not None and spec.engine is not None else None


def _actor() -> Actor:
    """Whoever may read the data directory; no key is asked for."""
    return Actor("local", f"cli-{uuid.uuid4().hex}")


async def _chunks(stream: ChatStream) -> AsyncGenerator[Chunk, None]:
    async with contextlib.aclosing(stream.frames()) as frames:
        async for frame in frames:
            event = frame.event
            if isinstance(event, Chunk):
                yield event


def _headers(request_id: str, stream: ChatStream) -> dict[str, str]:
    """The headers that the server would have sent."""
    headers = {"X-Request-Id": request_id, "Venom-Model": stream.resolved.reference}
    if stream.chosen_because:
        headers["Venom-Model-Reason"] = stream.chosen_because
    if stream.left_out:
        headers["Venom-Ignored-Parameters"] = ", ".join(stream.left_out)
    return headers


def _checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body after the API's own validation, which costs an import: messages alone are made by
    us and need none."""
    if body.keys() <= {"messages"}:
        return dict(body)
    from venom_core.api.openai.bodies import check_chat

    return check_chat(json.dumps(body).encode())
