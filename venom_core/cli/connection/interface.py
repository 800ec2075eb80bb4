"""Everything that a command can ask of Venom, wherever it runs.

Answers are the JSON values of the API of the same name, so that ``--json`` prints the same record
with and without a server. Refusals are raised as ``VenomError``.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from shlex import quote
from typing import TYPE_CHECKING, Any

from venom_core.cli.connection.answer import Answer
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.errors import Conflict, VenomError, restored

if TYPE_CHECKING:
    from venom_core.usecases.operations import OperationVerb
    from venom_core.usecases.plugins import PluginVerb
    from venom_core.usecases.selftest.asking import Received

POLL_SECONDS = 0.25
RUNNING = ("pending", "in_progress")


class Connection(ABC):
    """``url`` is the server's, None where the work is done in this process."""

    url: str | None = None

    def ends_with_it(self, provider: str) -> bool:
        """Return whether a provider's engine lives no longer than this command."""
        return False

    def engine_size(self, provider: str) -> int | None:
        """Return the bytes that the engine of a loaded plugin adds, as the plugin declares them;
        None where that is not known here."""
        return None

    @abstractmethod
    async def models(self) -> dict[str, Any]:
        """Return ``models`` (installed), ``available``, ``providers``, ``stale``."""

    @abstractmethod
    async def loaded(self) -> list[dict[str, Any]]:
        """Return the models in memory."""

    @abstractmethod
    async def engines(self) -> dict[str, Any]:
        """Return ``engines`` (those that providers started), ``providers`` (that start one for each
        model) and ``servers`` (with one engine for all of theirs)."""

    @abstractmethod
    async def services(self) -> list[dict[str, Any]]:
        """Return every service with what its processes take."""

    @abstractmethod
    async def change_service(self, name: str, action: str) -> dict[str, Any]:
        """Start, stop or restart a service; ``message`` says so."""

    @abstractmethod
    async def sign_in_link(self, key_id: str) -> str:
        """Return an address that signs one browser in with a key, once."""

    @abstractmethod
    async def activate_server(self, name: str, model: str | None) -> dict[str, Any]:
        """Make a server the active one; ``message`` says so."""

    @abstractmethod
    async def service_history(self, limit: int) -> list[dict[str, Any]]:
        """Return what happened to services, the newest first."""

    @abstractmethod
    async def details(self, name: str) -> dict[str, Any]:
        """Return a model with everything that is known of it."""

    @abstractmethod
    async def search(
        self, provider: str, query: str, filters: SearchFilters, limit: int, page: int
    ) -> dict[str, Any]:
        """Return a page of a source's catalogue; ``success`` is false where it cannot be asked."""

    @abstractmethod
    async def overview(self) -> dict[str, Any]:
        """Return machine, providers, default model, suggestions."""

    @abstractmethod
    async def install(self, name: str) -> dict[str, Any]:
        """Begin to fetch a model, join the fetching of the same, or go on with it."""

    @abstractmethod
    async def build(
        self, name: str, format_name: str, precision: str | None, execution_provider: str | None
    ) -> dict[str, Any]:
        """Begin to build a model, join the building of the same, or go on with it."""

    @abstractmethod
    async def operations(self, limit: int, cursor: str | None = None) -> dict[str, Any]:
        """Return a page of installs, builds and removals, newest first: ``operations``,
        ``next_cursor``."""

    @abstractmethod
    async def operation(self, operation_id: str) -> dict[str, Any]:
        """Return one operation."""

    @abstractmethod
    async def change_operation(self, operation_id: str, verb: OperationVerb) -> dict[str, Any]:
        """Pause, resume or cancel an operation; return it as it is then."""

    async def pull(self, name: str) -> AsyncGenerator[dict[str, Any], None]:
        """Fetch a model; yields the operation as it goes on, raises where it fails. ``aclose()``
        pauses it: the next pull of the same goes on from there."""
        async with contextlib.aclosing(self.follow(await self.install(name))) as states:
            async for operation in states:
                yield operation

    async def follow(self, operation: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the operation as it goes on, up to its end; like :meth:`pull`."""
        name, number = operation["model_name"], operation["operation_id"]
        try:
            while operation["status"] in RUNNING:
                yield operation
                await asyncio.sleep(POLL_SECONDS)
                operation = await self.operation(number)
        finally:
            if operation["status"] in RUNNING:
                with contextlib.suppress(VenomError):
                    await self.change_operation(number, "pause")
        if operation["status"] == "failed":
            words = {**operation, "message": operation["error"]}
            raise restored({**words, "status": operation["error_status"] or 500})
        if operation["status"] != "completed":
            if operation["operation_type"] == "build":
                raise Conflict(
                    f"The build of {name} was {operation['status']} meanwhile.",
                    code="operation_ended",
                    fix=f"Go on with it, where it is paused: venom operations resume {number}",
                )
            raise Conflict(
                f"The install of {name} was {operation['status']} meanwhile.",
                code="operation_ended",
                fix=f"Go on with it: venom pull {quote(name)}",
            )
        yield operation

    @abstractmethod
    async def remove(self, name: str) -> str:
        """Delete a model; gives the sentence that says so."""

    @abstractmethod
    async def load(self, name: str) -> dict[str, Any]:
        """Bring a model into memory: ``message``, ``reference``, ``loaded``."""

    @abstractmethod
    async def unload(self, name: str) -> str:
        """Take a model out of memory; gives the sentence that says so."""

    @abstractmethod
    async def fit(self, name: str, context: int | None) -> dict[str, Any]:
        """Check whether a model fits into the memory, at ``context`` tokens or what its engine
        takes."""

    @abstractmethod
    async def unload_all(self) -> dict[str, Any]:
        """Take every model out of memory: ``message``, ``unloaded``."""

    @abstractmethod
    async def use(self, name: str | None, role: str, *, load: bool = False) -> dict[str, Any]:
        """Make a model the active one of a role, None lets it have none; ``message`` says so."""

    @abstractmethod
    async def generation(self, name: str) -> dict[str, Any]:
        """Return the generation parameters of a model: schema, saved, effective, default,
        origins."""

    @abstractmethod
    async def configure(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Store generation parameters in place of those that were stored; an empty mapping forgets
        them."""

    @abstractmethod
    async def aliases(self) -> dict[str, Any]:
        """Return ``aliases``: name, target and problem of each."""

    @abstractmethod
    async def set_alias(self, name: str, target: str) -> dict[str, Any]:
        """Let a name stand for another; ``message`` says so."""

    @abstractmethod
    async def remove_alias(self, name: str) -> dict[str, Any]:
        """Forget an alias; ``message`` says so."""

    @abstractmethod
    async def plugins(self) -> list[dict[str, Any]]:
        """Return every installed plugin with the present health of its providers."""

    @abstractmethod
    async def change_plugin(self, plugin: str, verb: PluginVerb) -> dict[str, Any]:
        """Enable, disable or retry a plugin; return its record after that."""

    @abstractmethod
    async def profiles(self) -> dict[str, Any]:
        """Return ``profiles``, which is ``active`` and which the settings name."""

    @abstractmethod
    async def use_profile(self, name: str) -> dict[str, Any]:
        """Make a profile the active one: ``message`` and ``results`` say what came of it."""

    @abstractmethod
    async def configuration(self) -> dict[str, Any]:
        """Return every setting: ``config``, ``config_sources``, ``schema``, ``warnings``."""

    @abstractmethod
    async def change_configuration(self, updates: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings; None removes one. Without any, the file is read anew."""

    @abstractmethod
    async def configuration_backups(self, limit: int) -> dict[str, Any]:
        """Return the newest ``backups`` of the configuration."""

    @abstractmethod
    async def configuration_differences(self, backup: str | None) -> dict[str, Any]:
        """Return where the configuration differs from a backup, None for the newest."""

    @abstractmethod
    async def restore_configuration(self, backup: str) -> dict[str, Any]:
        """Put a backup in the place of the configuration."""

    @abstractmethod
    async def erase_usage(self, key_id: str) -> int:
        """Forget what was counted for a key; gives how many lines that was."""

    @abstractmethod
    async def sessions(self, limit: int) -> list[dict[str, Any]]:
        """Return this user's conversations, pinned ones first, then newest first."""

    @abstractmethod
    async def session(self, session_id: str) -> list[dict[str, Any]]:
        """Return the messages of a conversation that lead to its latest answer."""

    @abstractmethod
    async def keep(self, session_id: str, exchange: Mapping[str, Any]) -> str:
        """Store a question and its whole answer, and give the answer's id.

        Args:
            exchange: the arguments of ``chat.sessions.Exchange``.
        """

    @abstractmethod
    async def exchange(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Received:
        """Send a body to a path of ``/v1``, and return the whole answer, a refusal too."""

    @abstractmethod
    async def keep_self_test(
        self, reference: str, rows: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Keep the rows of a self-test that was made just now; returns what it says of the model's
        capabilities."""

    @abstractmethod
    async def benchmarks(self, limit: int) -> list[dict[str, Any]]:
        """Return the benchmarks that are kept, the newest first."""

    @abstractmethod
    async def benchmark(self, benchmark_id: str) -> dict[str, Any]:
        """Return a benchmark, as far as it is."""

    @abstractmethod
    async def begin_benchmark(self, models: Sequence[str], questions: int) -> str:
        """Begin to measure models; gives the benchmark's id."""

    @abstractmethod
    async def cancel_benchmark(self, benchmark_id: str) -> None:
        """End a benchmark; what was measured is kept."""

    async def measure(
        self, models: Sequence[str], questions: int
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield a benchmark from its beginning to its end; whoever stops listening ends it."""
        benchmark_id = await self.begin_benchmark(models, questions)
        ended = False
        try:
            while not ended:
                view = await self.benchmark(benchmark_id)
                ended = view["status"] != "running"
                yield view
                await asyncio.sleep(0 if ended else POLL_SECONDS)
        finally:
            if not ended:
                await self.cancel_benchmark(benchmark_id)

    @abstractmethod
    async def readiness(self) -> list[dict[str, Any]]:
        """Return the reasons that keep the profile from being served; empty when it is."""

    @abstractmethod
    async def doctor(self) -> list[dict[str, Any]]:
        """Return what the checks of plugins found: ``plugin, check, ok, title, message, fix``."""

    @abstractmethod
    def ask(
        self, model: str | None, body: Mapping[str, Any], *, explain: bool = False
    ) -> AbstractAsyncContextManager[Answer]:
        """Send a chat and open its answer; leaving the block closes the upstream.

        Args:
            model: None lets Venom choose, and say why.
            body: ``messages`` and parameters of an OpenAI chat body.
            explain: also ask for the parameters' origins and the upstream body.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release everything; ends the engines that this process started."""
