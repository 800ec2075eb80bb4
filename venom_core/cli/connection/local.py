"""Venom in this process: where no server runs."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from venom_core.cli.connection.answer import Answer
from venom_core.cli.connection.interface import Connection
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.frames import Chunk
from venom_core.store.audit import LOCAL_USER, Actor
from venom_core.store.sessions import Owner

if TYPE_CHECKING:
    from venom_core.chat.stream import ChatStream
    from venom_core.composition import Venom
    from venom_core.models.roles import Role
    from venom_core.usecases.operations import OperationVerb
    from venom_core.usecases.plugins import PluginVerb
    from venom_core.usecases.selftest.asking import Received


def make_venom() -> Venom:
    """Over the environment and its data directory; nothing is loaded or opened yet."""
    from venom_core.composition import Venom

    return Venom.from_environment()


class LocalVenom(Connection):
    """The core's own objects behind the interface; closes ``venom`` at the end."""

    def __init__(self, venom: Venom) -> None:
        self.venom = venom
        self._app: Any = None

    @classmethod
    async def open(cls, venom: Venom) -> LocalVenom:
        await venom.start()
        return cls(venom)

    async def models(self) -> dict[str, Any]:
        return _record(await self.venom.models.listing())

    async def loaded(self) -> list[dict[str, Any]]:
        return _records(await self.venom.models.loaded())

    async def engines(self) -> dict[str, Any]:
        return _record(await self.venom.engines.listing())

    async def services(self) -> list[dict[str, Any]]:
        return _records((await self.venom.services.running(logs=True))["services"])

    async def change_service(self, name: str, action: str) -> dict[str, Any]:
        await self.venom.providers.names()  # loads the plugins, which tell whose engines end here
        provider = self.venom.host.resolve_name(name)
        if action != "stop" and provider is not None and self._ends_here(provider):
            raise Unavailable(
                f"The engines of {provider} would end with this command.",
                code="server_needed",
                fix="Start the server, then try again: venom serve",
            )
        return _record(await self.venom.services.change(name, action, Actor.local()))

    async def sign_in_link(self, key_id: str) -> str:
        raise Unavailable(
            "Nobody can sign in: no server runs.",
            code="server_needed",
            fix="Start the server, then try again: venom serve",
        )

    async def activate_server(self, name: str, model: str | None) -> dict[str, Any]:
        return _record(await self.venom.llm_servers.activate(name, model, Actor.local()))

    async def service_history(self, limit: int) -> list[dict[str, Any]]:
        return _records((await self.venom.services.history(limit))["history"])

    async def details(self, name: str) -> dict[str, Any]:
        return _record(await self.venom.models.details(name))

    async def search(
        self, provider: str, query: str, filters: SearchFilters, limit: int, page: int
    ) -> dict[str, Any]:
        return _record(await self.venom.catalogue.search(provider, query, filters, limit, page))

    async def overview(self) -> dict[str, Any]:
        return _record(await self.venom.overview.show())

    async def install(self, name: str) -> dict[str, Any]:
        return _record(await self.venom.operations.install(name, actor=Actor.local()))

    async def build(
        self, name: str, format_name: str, precision: str | None, execution_provider: str | None
    ) -> dict[str, Any]:
        begun = self.venom.operations.build(
            name, format_name, precision, execution_provider, actor=Actor.local()
        )
        return _record(await begun)

    async def operations(self, limit: int, cursor: str | None = None) -> dict[str, Any]:
        return _record(await self.venom.operations.listing(limit, cursor))

    async def operation(self, operation_id: str) -> dict[str, Any]:
        return _record(await self.venom.operations.get(operation_id))

    async def change_operation(self, operation_id: str, verb: OperationVerb) -> dict[str, Any]:
        return _record(await self.venom.operations.change(operation_id, verb, Actor.local()))

    async def remove(self, name: str) -> str:
        return (await self.venom.models.remove(name, Actor.local()))["message"]

    async def load(self, name: str) -> dict[str, Any]:
        return _record(await self.venom.models.load(name, Actor.local()))

    async def unload(self, name: str) -> str:
        return (await self.venom.models.unload(name, Actor.local()))["message"]

    async def unload_all(self) -> dict[str, Any]:
        return _record(await self.venom.models.unload_all(Actor.local()))

    async def use(self, name: str | None, role: str, *, load: bool = False) -> dict[str, Any]:
        models, wanted, actor = self.venom.models, cast("Role", role), Actor.local()
        if name is None:
            return _record(await models.deactivate(wanted, actor))
        return _record(await models.use(name, wanted, load=load, actor=actor))

    async def generation(self, name: str) -> dict[str, Any]:
        return _record(await self.venom.models.generation(name))

    async def configure(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return _record(await self.venom.models.configure(name, None, parameters, Actor.local()))

    async def aliases(self) -> dict[str, Any]:
        return _record(await self.venom.models.aliases())

    async def set_alias(self, name: str, target: str) -> dict[str, Any]:
        return _record(await self.venom.models.set_alias(name, target, Actor.local()))

    async def remove_alias(self, name: str) -> dict[str, Any]:
        return _record(await self.venom.models.remove_alias(name, Actor.local()))

    async def fit(self, name: str, context: int | None) -> dict[str, Any]:
        return _record(await self.venom.fit.check(name, context))

    async def plugins(self) -> list[dict[str, Any]]:
        return _records(await self.venom.plugins.listing())

    async def change_plugin(self, plugin: str, verb: PluginVerb) -> dict[str, Any]:
        return _record((await self.venom.plugins.change(plugin, verb, Actor.local()))["plugin"])

    async def profiles(self) -> dict[str, Any]:
        return _record(await self.venom.profiles.listing())

    async def use_profile(self, name: str) -> dict[str, Any]:
        return _record(await self.venom.profiles.switch(name, Actor.local(), lasting=True))

    async def configuration(self) -> dict[str, Any]:
        return _record(await self.venom.configuration.show())

    async def change_configuration(self, updates: Mapping[str, Any]) -> dict[str, Any]:
        return _record(await self.venom.configuration.change(updates, Actor.local()))

    async def configuration_backups(self, limit: int) -> dict[str, Any]:
        return _record(await self.venom.configuration.backups(limit))

    async def configuration_differences(self, backup: str | None) -> dict[str, Any]:
        return _record(await self.venom.configuration.differences(backup))

    async def restore_configuration(self, backup: str) -> dict[str, Any]:
        return _record(await self.venom.configuration.restore(backup, Actor.local()))

    async def erase_usage(self, key_id: str) -> int:
        return await self.venom.usage.erase(key_id, Actor.local())

    async def sessions(self, limit: int) -> list[dict[str, Any]]:
        found = await self.venom.sessions.listing(Owner(), limit)
        return _records([one.record() for one in found])

    async def session(self, session_id: str) -> list[dict[str, Any]]:
        await self.venom.sessions.get(Owner(), session_id)  # one that is not there is refused
        talk = await self.venom.sessions.conversation(Owner(), session_id)
        return _records([one.record() for one in talk.path])

    async def keep(self, session_id: str, exchange: Mapping[str, Any]) -> str:
        from venom_core.chat.sessions import Exchange

        kept = await self.venom.sessions.keep(Owner(), session_id, Exchange(**exchange))
        return kept[1][-1].id

    async def readiness(self) -> list[dict[str, Any]]:
        return _records([one.record() for one in await self.venom.runtime.readiness()])

    async def doctor(self) -> list[dict[str, Any]]:
        return await self.venom.plugins.doctor()

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
            key_id=LOCAL_USER,
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
                    values=stream.values,
                    upstream_body=stream.upstream_body,
                )
        finally:
            await stream.close()

    async def exchange(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Received:
        import httpx

        from venom_core.api.app import create_app
        from venom_core.usecases.selftest.asking import Received

        if self._app is None:
            self._app = create_app(self.venom)
        headers = {**headers, "Authorization": f"Bearer {self.venom.local_token}"}
        transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.post(path, json=body, headers=headers, timeout=None)
        return Received(answer.status_code, answer.headers, answer.content)

    async def keep_self_test(
        self, reference: str, rows: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        return _record(await self.venom.self_tests.keep(reference, rows, Actor.local()))

    async def benchmarks(self, limit: int) -> list[dict[str, Any]]:
        return [_record(one) for one in (await self.venom.benchmarks.listing(limit))["benchmarks"]]

    async def benchmark(self, benchmark_id: str) -> dict[str, Any]:
        return _record(await self.venom.benchmarks.get(benchmark_id))

    async def begin_benchmark(self, models: Sequence[str], questions: int) -> str:
        begun = await self.venom.benchmarks.start(models, questions, Actor.local())
        return begun["benchmark_id"]

    async def cancel_benchmark(self, benchmark_id: str) -> None:
        await self.venom.benchmarks.cancel(benchmark_id, Actor.local())

    async def close(self) -> None:
        await self.venom.close()

    def ends_with_it(self, provider: str) -> bool:
        spec = self.venom.host.specs().get(provider)
        return spec is not None and (spec.has_engines_of_models or spec.engine is not None)

    def _ends_here(self, provider: str) -> bool:
        spec = self.venom.host.specs().get(provider)
        return self.ends_with_it(provider) or (spec is not None and spec.has_one_engine)

    def engine_size(self, provider: str) -> int | None:
        spec = self.venom.host.specs().get(provider)
        return spec.engine.size_bytes if spec is not None and spec.engine is not None else None


def _record(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a use case's typed result as the JSON object that it is."""
    return dict(result)


def _records(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(result) for result in results]


async def _chunks(stream: ChatStream) -> AsyncGenerator[Chunk, None]:
    async with contextlib.aclosing(stream.frames()) as frames:
        async for frame in frames:
            event = frame.event
            if isinstance(event, Chunk):
                yield event


def _headers(request_id: str, stream: ChatStream) -> dict[str, str]:
    """The headers that the server would have sent."""
    from venom_core.chat.place import told_of

    return {"X-Request-Id": request_id, **told_of(stream)}


def _checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body after the API's own validation, which costs an import: messages alone are made by
    us and need none."""
    if body.keys() <= {"messages"}:
        return dict(body)
    from venom_core.api.openai.bodies import check_chat

    return check_chat(json.dumps(body).encode())
