"""Settings: shown as data for a page, changed, backed up, compared and restored.

A setting goes by the name of its environment variable, which the original system's programs know,
and by its key in ``config.toml``: ``VENOM_PORT`` is ``server.port``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from venom_core.plugins.host import PluginHost
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.records import ErrorRecord
from venom_core.sdk.spec import ProviderSpec, SettingValue
from venom_core.sdk.utc import utc_text
from venom_core.settings import backups
from venom_core.settings.changes import Difference, KnownSetting, SettingsChange
from venom_core.settings.core import CORE_SETTINGS
from venom_core.settings.forms import Origin, form_schema
from venom_core.settings.layers import Settings
from venom_core.settings.unknown import PROVIDERS
from venom_core.settings.variables import provider_variable
from venom_core.store.audit import MAX_SUBJECT, Actor
from venom_core.usecases.journal import Journal

#: Works with the settings of these keys (``table.key``) from now on.
Applying = Callable[[Collection[str], Actor], Awaitable[object]]


class SettingField(TypedDict):
    """A setting as a page needs it to show a field.

    ``key`` is its place in ``config.toml``; ``form`` the JSON Schema of its value: type, bounds,
    choices, default, description. ``restart`` says that a change counts from the next start on;
    ``fixed_by`` is the environment variable or the option that sets it, so that the file cannot.
    ``error`` says why its value cannot be used.
    """

    key: str
    provider: str | None
    env: str
    aliases: list[str]
    form: dict[str, Any]
    secret: bool
    restart: bool
    fixed_by: str | None
    error: NotRequired[ErrorRecord]


class ConfigView(TypedDict):
    """All settings by name. In ``config`` a secret is a mask, null where it is not set; a source is
    null where the value cannot be used. ``restart_required`` are those that this process does not
    work with yet."""

    status: Literal["success"]
    success: bool
    file: str
    config: dict[str, Any]
    config_sources: dict[str, Origin | None]
    schema: dict[str, SettingField]
    warnings: list[str]
    restart_required: list[str]


class ConfigChange(TypedDict):
    """The result of a change, by the names of the settings. ``backup_path`` is the file as it was
    before, null where nothing was changed or there was none."""

    status: Literal["success"]
    success: bool
    message: str
    restart_required: list[str]
    changed_keys: list[str]
    updated_keys: list[str]
    backup_path: str | None


class BackupView(TypedDict):
    filename: str
    path: str
    size_bytes: int
    created_at: str


class BackupList(TypedDict):
    """Backups, the newest first; ``count`` of those that are listed."""

    status: Literal["success"]
    success: bool
    backups: list[BackupView]
    count: int


class ConfigDifferences(TypedDict):
    """The present file against a backup; ``backup`` is null where there is none."""

    status: Literal["success"]
    success: bool
    backup: str | None
    differences: list[Difference]


class SettingsUseCases:
    """Use cases of the settings."""

    def __init__(self, host: PluginHost, settings: Settings, journal: Journal) -> None:
        self._host = host
        self._settings = settings
        self._journal = journal
        self._applying: list[Applying] = []

    def when_changed(self, apply: Applying) -> None:
        """Let somebody work with new values as soon as they are kept."""
        self._applying.append(apply)

    async def show(self) -> ConfigView:
        """Return every setting, its value, its source and its field."""
        specs = await self._specs()
        settings, names = self._settings, _names(specs)
        known = settings.known(specs)
        schema: dict[str, SettingField] = {}
        view: ConfigView = {
            "status": "success",
            "success": True,
            "file": str(settings.paths.config_file),
            "config": {},
            "config_sources": {},
            "schema": schema,
            "warnings": await self._warnings(specs),
            "restart_required": [names[key] for key in settings.restart_required()],
        }
        for row in settings.rows(specs):
            key, name = row["key"], names[row["key"]]
            view["config"][name] = row["value"]
            view["config_sources"][name] = row["origin"]
            schema[name] = _field(key, known[key], row["env"])
            if "error" in row:
                schema[name]["error"] = row["error"]
        return view

    async def change(self, updates: Mapping[str, Any], actor: Actor) -> ConfigChange:
        """Write settings and work with them; null removes one. Without any, the file is read anew.

        Raises as :meth:`Settings.change` does, by the names that were given.
        """
        specs = await self._specs()
        resolved, called = _resolved(updates, specs)
        before = self._settings.known(specs)
        done = await asyncio.to_thread(self._settings.change, resolved, specs, called)
        return await self._finish(done, "settings.changed", actor, before, specs)

    async def restore(self, backup: str, actor: Actor) -> ConfigChange:
        """Put a backup in the place of the file. Raises ``NotFound``
        (``config_backup_not_found``), and as :meth:`change`."""
        specs = await self._specs()
        before = self._settings.known(specs)
        done = await asyncio.to_thread(self._settings.restore, backup)
        return await self._finish(done, "settings.restored", actor, before, specs)

    async def backups(self, limit: int) -> BackupList:
        """Return the newest backups."""
        found = await asyncio.to_thread(backups.list_backups, self._settings.paths)
        views: list[BackupView] = [
            {
                "filename": one.path.name,
                "path": str(one.path),
                "size_bytes": one.size_bytes,
                "created_at": utc_text(one.created_at, "seconds"),
            }
            for one in found[:limit]
        ]
        return {"status": "success", "success": True, "backups": views, "count": len(views)}

    async def differences(self, backup: str | None) -> ConfigDifferences:
        """Return where the present file differs from a backup, the newest where none is named;
        secrets are masked. Raises ``NotFound``, ``InvalidRequest``."""
        specs = await self._specs()
        if backup is None:
            newest = await asyncio.to_thread(backups.list_backups, self._settings.paths)
            if not newest:
                return _differences(None, [])
            backup = newest[0].path.name
        found = await asyncio.to_thread(self._settings.compare, backup, specs)
        return _differences(backup, found)

    async def _finish(
        self,
        done: SettingsChange,
        event: Literal["settings.changed", "settings.restored"],
        actor: Actor,
        before: Mapping[str, KnownSetting],
        specs: Sequence[ProviderSpec],
    ) -> ConfigChange:
        """Work with the new values, and say what was done."""
        names = _names(specs)
        changed = [names.get(key, key) for key in done.changed]
        restart = [names[key] for key in done.restart_required]
        if done.changed:
            after = self._settings.known(specs)
            await self._journal.record_audit(
                actor,
                event,
                ", ".join(changed)[:MAX_SUBJECT],
                _shown(before, done.changed),
                _shown(after, done.changed),
            )
            self._journal.publish(event, keys=changed, restart_required=restart)
        await self._apply(done.applied, actor)
        kept = done.backup and backups.folder(self._settings.paths) / done.backup
        return {
            "status": "success",
            "success": True,
            "message": _sentence(changed, event),
            "restart_required": restart,
            "changed_keys": changed,
            "updated_keys": changed,
            "backup_path": str(kept) if kept else None,
        }

    async def _apply(self, keys: Collection[str], actor: Actor) -> None:
        """Open providers anew whose settings changed, and let everybody else work with theirs."""
        if not keys:
            return
        table = f"{PROVIDERS}."
        await self._host.reopen({key.split(".")[1] for key in keys if key.startswith(table)})
        for apply in self._applying:
            await apply(keys, actor)

    async def _specs(self) -> list[ProviderSpec]:
        await self._host.load_all()
        return [*self._host.specs().values()]

    async def _warnings(self, specs: Sequence[ProviderSpec]) -> list[str]:
        self._settings.check_providers(specs)
        return [
            *self._settings.warnings,
            *(text for spec in specs for text in self._settings.form(spec)["warnings"]),
        ]


def _names(specs: Sequence[ProviderSpec]) -> dict[str, str]:
    """Return the name of each setting by its key: the variable that programs know already, which
    is the first's where several have it; else our own."""
    names = {part.key: part.env for part in CORE_SETTINGS}
    for spec in specs:
        for setting in spec.settings:
            own = provider_variable(spec.name, setting.name)
            free = [name for name in setting.env_aliases if name not in names.values()]
            names[f"{PROVIDERS}.{spec.name}.{setting.name}"] = free[0] if free else own
    return names


def _resolved(
    updates: Mapping[str, Any], specs: Sequence[ProviderSpec]
) -> tuple[dict[str, SettingValue], dict[str, str]]:
    """Return updates by key, and what each key was called. A variable that several settings are
    read from changes all of them, as it does in the environment."""
    keys: dict[str, list[str]] = {part.env: [part.key] for part in CORE_SETTINGS}
    for spec in specs:
        for setting in spec.settings:
            for variable in (provider_variable(spec.name, setting.name), *setting.env_aliases):
                key = f"{PROVIDERS}.{spec.name}.{setting.name}"
                keys.setdefault(variable, []).append(key)
    resolved: dict[str, SettingValue] = {}
    called: dict[str, str] = {}
    for name, value in updates.items():
        for key in keys.get(name, [name]):
            if key in resolved and resolved[key] != value:
                raise InvalidRequest(
                    f"{called[key]} and {name} are the same setting.",
                    code="invalid_setting",
                    param=name,
                    fix="Give it once.",
                )
            resolved[key], called[key] = value, name
    return resolved, called


def _field(key: str, part: KnownSetting, env: str) -> SettingField:
    setting = part.setting
    form = form_schema([setting])["properties"][setting.name]
    return {
        "key": key,
        "provider": key.split(".")[1] if key.startswith(f"{PROVIDERS}.") else None,
        "env": env,
        "aliases": list(setting.env_aliases),
        "form": form,
        "secret": setting.secret,
        "restart": not part.live,
        "fixed_by": part.option or part.variable,
    }


def _shown(known: Mapping[str, KnownSetting], keys: Collection[str]) -> dict[str, Any]:
    """Return values for the audit trail, a secret as a mask."""
    return {
        key: list(value) if isinstance(value := known[key].shown, tuple) else value
        for key in keys
        if key in known
    }


def _differences(backup: str | None, found: list[Difference]) -> ConfigDifferences:
    return {"status": "success", "success": True, "backup": backup, "differences": found}


def _sentence(changed: Sequence[str], event: str) -> str:
    if not changed:
        return "Nothing was changed."
    keys = ", ".join(changed)
    return f"Restored: {keys}." if event == "settings.restored" else f"Changed: {keys}."
