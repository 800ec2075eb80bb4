"""Making self-tests, keeping their outcome, and showing it with the models."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from venom_core._version import __version__
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.self_tests import (
    CapabilityState,
    Outcome,
    SelfTestView,
    capability_states,
    self_test_view,
)
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import Conflict, InvalidRequest
from venom_core.sdk.utc import utc_text
from venom_core.store.audit import Actor
from venom_core.store.in_use import ModelKey
from venom_core.store.self_tests import SelfTest, SelfTestRepository

if TYPE_CHECKING:
    from venom_core.usecases.selftest.asking import Ask


class KeptSelfTest(TypedDict):
    """A self-test is kept; ``capability_states`` are what it says of the model's capabilities."""

    success: bool
    message: str
    reference: str
    self_test: SelfTestView | None
    capability_states: dict[str, CapabilityState] | None


class SelfTestRowView(TypedDict):
    """The outcome of one question; ``note`` says more, where there is more to say."""

    group: str
    name: str
    outcome: Outcome
    note: str | None


class SelfTestTable(TypedDict):
    """The last self-test of a model, row by row; ``self_test`` is null where there was none."""

    success: bool
    reference: str
    self_test: SelfTestView | None
    capability_states: dict[str, CapabilityState] | None
    rows: list[SelfTestRowView]


class SelfTestUseCases:
    """Use cases of self-tests. One is made at a time.

    Args:
        repository: opens the store; called in a thread.
        stored: whether there is a store: looking must not make one.
        publish: tells of the model, by its reference, whose self-test is kept.
    """

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        repository: Callable[[], SelfTestRepository],
        stored: Callable[[], bool],
        publish: Callable[[str], None],
    ) -> None:
        self._host = host
        self._registry = registry
        self._repository = repository
        self._stored = stored
        self._publish = publish
        #: The model that is being asked.
        self._asked: str | None = None
        self._kept: dict[ModelKey, SelfTest] | None = None

    async def views(
        self, items: Sequence[ListedModel]
    ) -> dict[str, tuple[SelfTestView | None, dict[str, CapabilityState] | None]]:
        """Return by reference the last self-test of each model, and what is known of each of its
        capabilities."""
        kept, versions = await self._known(), self._versions()
        found = {}
        for item in items:
            test = kept.get((item.provider, item.model.ref))
            view = self_test_view(item, test, versions.get(item.provider))
            counts = test if view is not None and not view["outdated"] else None
            found[item.reference] = view, capability_states(item, counts)
        return found

    async def reads_tools(self, item: ListedModel) -> bool:
        """Return whether the model's self-test saw its engine read the calls that the model writes
        by itself; costs a look into a dictionary."""
        test = (await self._known()).get((item.provider, item.model.ref))
        if test is None or test.outcomes.get(("tools", "auto")) != "honoured":
            return False
        view = self_test_view(item, test, self._versions().get(item.provider))
        return view is not None and not view["outdated"]

    async def table(self, name: str) -> SelfTestTable:
        """Return the last self-test of a model; raises what resolving the name does."""
        item = await self._registry.resolve(name)
        test = (await self._known()).get((item.provider, item.model.ref))
        view, states = (await self.views([item]))[item.reference]
        rows: list[SelfTestRowView] = [
            {
                "group": row["group"],
                "name": row["name"],
                "outcome": row["outcome"],
                "note": row.get("note"),
            }
            for row in (test.rows if test else ())
        ]
        return {
            "success": True,
            "reference": item.reference,
            "self_test": view,
            "capability_states": states,
            "rows": rows,
        }

    def questions(self) -> list[tuple[str, str]]:
        """Return group and name of every question, in the order in which they are asked."""
        from venom_core.usecases.selftest.questions import CELLS

        return [(cell.group, cell.name) for cell in CELLS]

    async def reference(self, name: str) -> str:
        """Return the reference of the model that a name means; raises what resolving it does."""
        return (await self._registry.resolve(name)).reference

    @contextlib.contextmanager
    def turn(self, reference: str) -> Iterator[None]:
        """Let nobody else begin during the block. Raises ``Conflict`` (``selftest_running``)."""
        if self._asked is not None:
            raise Conflict(
                f"A self-test of {self._asked} is under way already.",
                code="selftest_running",
                fix="Wait for its end, or cancel it.",
            )
        self._asked = reference
        try:
            yield
        finally:
            self._asked = None

    async def run(
        self, ask: Ask, tell: Callable[[SelfTestRowView], Awaitable[None]]
    ) -> list[SelfTestRowView]:
        """Ask everything and return the rows, which :meth:`keep` takes; ``tell`` hears of each as
        it comes. Raises as ``examine``."""
        from venom_core.usecases.selftest.run import examine

        rows: list[SelfTestRowView] = []
        async with contextlib.aclosing(examine(ask)) as found:
            async for row in found:
                rows.append(
                    {
                        "group": row.group,
                        "name": row.name,
                        "outcome": row.outcome,
                        "note": row.note,
                    }
                )
                await tell(rows[-1])
        return rows

    async def keep(
        self, name: str, rows: Sequence[Mapping[str, Any]], actor: Actor
    ) -> KeptSelfTest:
        """Keep the rows of a self-test that was made just now, in the place of the last one.

        Raises ``InvalidRequest`` where a row answers no question, or one is answered twice, and
        what resolving the name does.
        """
        from venom_core.usecases.selftest.questions import CELLS

        asked = {(cell.group, cell.name) for cell in CELLS}
        for place, row in enumerate(rows):
            if (row["group"], row["name"]) not in asked:
                raise InvalidRequest(
                    "A row answers no question that a self-test asks, or one that another row"
                    " answers.",
                    param=f"rows[{place}]",
                    fix="Send the rows that this prints: venom selftest PROVIDER --json",
                )
            asked.remove((row["group"], row["name"]))
        item = await self._registry.resolve(name)
        version = self._versions().get(item.provider)
        test = SelfTest(utc_text(), __version__, version, item.model.digest, rows)
        key = item.provider, item.model.ref
        await asyncio.to_thread(lambda: self._repository().keep(key, test, actor))
        if self._kept is not None:
            self._kept[key] = test
        self._publish(item.reference)
        view, states = (await self.views([item]))[item.reference]
        return {
            "success": True,
            "message": f"The self-test of {item.reference} is kept.",
            "reference": item.reference,
            "self_test": view,
            "capability_states": states,
        }

    async def _known(self) -> dict[ModelKey, SelfTest]:
        if self._kept is None:
            self._kept = await asyncio.to_thread(self._read)
        return self._kept

    def _read(self) -> dict[ModelKey, SelfTest]:
        return self._repository().read() if self._stored() else {}

    def _versions(self) -> dict[str, str | None]:
        return {
            provider.name: provider.version
            for record in self._host.records()
            for provider in record.providers
        }
