"""Plugins: their records, and enabling, disabling and trying them again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from venom_core.installing.offers import Offers, offers
from venom_core.plugins.host import PluginHost
from venom_core.plugins.records import PluginRecord, PluginView
from venom_core.sdk.records import ReasonRecord
from venom_core.sdk.states import PluginStateLabel
from venom_core.settings.forms import ProviderForm
from venom_core.settings.layers import Settings
from venom_core.store.audit import Actor
from venom_core.usecases.journal import Journal

if TYPE_CHECKING:
    from venom_core.plugins.source_watch import SourceWatch

PluginVerb = Literal["enable", "disable", "retry", "reload", "forget"]
_DONE = {
    "enable": "enabled",
    "disable": "disabled",
    "retry": "tried again",
    "reload": "loaded anew",
    "forget": "taken out",
}


class PluginChange(TypedDict):
    """A plugin after a change; ``plugin`` is its record."""

    success: bool
    message: str
    plugin: PluginView


class PluginSettings(TypedDict):
    """The settings of a plugin's providers; none where it is not loaded, for the ``reason``."""

    plugin: str
    state: PluginStateLabel
    reason: ReasonRecord | None
    providers: list[ProviderForm]


class PluginUseCases:
    """Use cases of plugins. The host publishes each change of a state itself."""

    def __init__(self, host: PluginHost, journal: Journal, settings: Settings) -> None:
        self._host = host
        self._journal = journal
        self._settings = settings
        self._watch: SourceWatch | None = None

    def watch_sources(self, told: Callable[[PluginRecord], None]) -> None:
        """Load a plugin of others' anew each time that its source is saved, from now on; ``told``
        gets its record then."""
        from venom_core.plugins.source_watch import SourceWatch

        self._watch = SourceWatch(self._host, told)
        self._watch.start()

    async def close(self) -> None:
        """Watch nothing any more."""
        if self._watch is not None:
            await self._watch.close()

    async def listing(self) -> list[PluginView]:
        """Return the record of every installed plugin, its providers' present health in it; those
        installed since the start too."""
        await self._host.look_again()
        await self._host.load_all()
        await self._host.refresh()
        return [record.record() for record in self._host.records()]

    async def available(self) -> Offers:
        """Return what else could be installed, with the commands; installing is theirs."""
        await self._host.load_all()
        installed = {record.distribution for record in self._host.records()}
        return await asyncio.to_thread(offers, self._settings, installed, self._host.specs())

    async def settings(self, name: str) -> PluginSettings:
        """Return a plugin's settings as data for a form: schema, values and their origins, secrets
        masked. Raises ``NotFound`` (``plugin_not_found``), ``Conflict`` (``ambiguous_plugin``)."""
        await self._host.load_all()
        record, specs = self._host.declared(name)
        return {
            "plugin": record.id,
            "state": record.state.label,
            "reason": record.reason.record() if record.reason else None,
            "providers": [self._settings.form(spec) for spec in specs],
        }

    async def change(self, name: str, verb: PluginVerb, actor: Actor) -> PluginChange:
        """Enable, disable, retry or reload a plugin, or forget one that was uninstalled. Raises
        ``NotFound`` (``plugin_not_found``), ``Conflict``, ``StorageError``."""
        await self._host.load_all()
        before = {(one.id, one.distribution): one.state.label for one in self._host.records()}
        act = {
            "enable": self._host.enable,
            "disable": self._host.disable,
            "retry": self._host.retry,
            "reload": self._host.reload,
            "forget": self._host.forget,
        }[verb]
        record = await act(name)
        was = before.get((record.id, record.distribution))
        await self._journal.record_audit(
            actor,
            f"plugin.{verb}",
            record.id,
            None if was is None else {"state": was},
            None if verb == "forget" else {"state": record.state.label},
        )
        message = f"{record.id} was {_DONE[verb]}."
        return {"success": True, "message": message, "plugin": record.record()}

    async def doctor(self) -> list[dict[str, Any]]:
        """Run the checks that plugins bring; return what each found."""
        return [
            {"plugin": report.plugin, "check": report.check, **asdict(report.finding)}
            for report in await self._host.doctor()
        ]
