"""A plugin of somebody's whose provider spells in an engine of its own: a named fake with a real
process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Iterable, Sequence

from venom_core.sdk import hookimpl
from venom_core.sdk.engine import EngineCommand
from venom_core.sdk.engine_server import server_args
from venom_core.sdk.openai_engine import Endpoint
from venom_core.sdk.pooled_engine import PooledEngineProvider
from venom_core.sdk.provider import Model, ProviderContext
from venom_core.sdk.spec import Capability, ProviderSpec

SPEC = ProviderSpec(
    name="speller",
    title="Speller",
    summary="Says what it is told.",
    factory=f"{__name__}:Speller",
    capabilities=frozenset({Capability.CHAT}),
)


@hookimpl
def venom_providers() -> Iterable[ProviderSpec]:
    return [SPEC]


class Speller(PooledEngineProvider):
    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context, max_loaded=1, keep_alive=-1)

    def look_for_engine(self) -> None:
        return None

    async def models(self) -> Sequence[Model]:
        return [Model("speller", "folder")]

    @contextlib.asynccontextmanager
    async def lease(self, ref: str) -> AsyncGenerator[Endpoint, None]:
        engines = self.context.data_dir / "engines"
        command = EngineCommand(
            name=ref,
            args=server_args("speller_of_somebody:SpellingEngine"),
            model=ref,
            log_file=engines / f"{ref}.log",
            pid_file=engines / f"{ref}.pid",
            stop_timeout=1.0,
        )
        async with self.running(ref, lambda: command, None, 0) as endpoint:
            yield endpoint
