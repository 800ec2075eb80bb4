"""Taking over an installation of the original system: its ``.env``, overrides, names and models.

Everything is reported: what was taken, as what, and what was not and why. Nothing of the original
is changed. Before the first change the present state is backed up, and rolling back restores it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.sdk.errors import InvalidRequest, NotFound, StorageError, VenomError
from venom_core.sdk.spec import ProviderSpec, Setting, SettingValue
from venom_core.sdk.text_files import UNREADABLE, read_text
from venom_core.settings.core import CORE_SETTINGS
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.settings.profiles import find_profile
from venom_core.settings.values import convert, mask
from venom_core.settings.variables import provider_variable
from venom_core.store.audit import Actor
from venom_core.store.backup import read_backup, restore_backup, write_backup
from venom_core.usecases.overrides import OVERRIDES, Finding, KeptOverrides, find_model

if TYPE_CHECKING:
    from venom_core.models.manager import ModelManager

MAX_ENV_BYTES = 1024 * 1024
MODEL_FOLDERS = ("models", "data/models")
MODEL_PATHS = "model_paths"


@dataclass(frozen=True, slots=True)
class Original:
    """The contents of the original's folder. ``models`` are folders that hold GGUF files."""

    values: Mapping[str, str]
    models: tuple[Path, ...]


def read_original(folder: Path) -> Original:
    """Read ``.env`` and look for models. Raises ``NotFound`` where neither is there, and
    ``InvalidRequest`` where a value in it is no text."""
    from dotenv import dotenv_values

    env = folder / ".env"
    values: dict[str, str] = {}
    if env.is_file() and env.stat().st_size <= MAX_ENV_BYTES:
        text = read_text(env, errors="replace")  # a comment may be in any encoding
        _check_text(env, text)
        found = dotenv_values(stream=StringIO(text), interpolate=False)
        values = {name: value for name, value in found.items() if value}
    folders = (folder / name for name in MODEL_FOLDERS)
    models = tuple(path.resolve() for path in folders if any(path.rglob("*.gguf")))
    if not values and not models:
        raise NotFound(
            f"{folder} holds no .env and no models of the original system.",
            code="legacy_not_found",
            fix="Name the folder that the original was started in.",
        )
    return Original(values, models)


def _check_text(file: Path, text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if UNREADABLE in line and not line.lstrip().startswith("#"):
            raise InvalidRequest(
                f"{file} is not UTF-8 text at line {number}.",
                code="legacy_not_readable",
                fix=f"Save {file} as UTF-8 in an editor, or correct line {number}.",
            )


class Takeover:
    """One import. ``dry_run`` reports and changes nothing."""

    def __init__(
        self,
        settings: Settings,
        specs: Mapping[str, ProviderSpec],
        registry: ModelRegistry,
        manager: ModelManager,
        actor: Actor,
        *,
        dry_run: bool,
    ) -> None:
        self._own_settings = settings
        self._specs = specs
        self._registry = registry
        self._manager = manager
        self._actor = actor
        self._dry_run = dry_run

    async def run(self, original: Original) -> list[Finding]:
        """Take over everything that is found, and return it in that order."""
        if not self._dry_run:
            keep_for_rollback(self._own_settings.paths)
        findings, changes = self._settings(original)
        if changes and not self._dry_run:
            self._own_settings.change(changes, self._specs.values())
        findings += [finding async for finding in self._active(original.values)]
        if OVERRIDES in original.values:
            overrides = KeptOverrides(self._registry, self._manager)
            findings += await overrides.take(
                original.values[OVERRIDES], self._actor, dry_run=self._dry_run
            )
        known = {finding.name for finding in findings}
        findings += [
            Finding(name, "left", "Shell commands are never run from settings.")
            for name in sorted(original.values)
            if name.endswith("_COMMAND") and name not in known
        ]
        return findings

    # -- settings ----------------------------------------------------------------------------

    def _settings(self, original: Original) -> tuple[list[Finding], dict[str, SettingValue]]:
        findings: list[Finding] = []
        changes: dict[str, SettingValue] = {}
        places = dict(self._places())
        for name, text in original.values.items():
            place = None if name == OVERRIDES else places.get(name)
            if place is None:
                continue
            key, setting = place
            try:
                raw = find_profile(text).name if name == "VENOM_RUNTIME_PROFILE" else text
                value = convert(setting, raw, f"{name} in .env")
                self._check_change(key, value)
            except VenomError as error:
                findings.append(Finding(name, "left", error.message))
                continue
            findings.append(Finding(name, "taken", f"{key} = {mask(setting, value)}"))
            changes[key] = value
        for name, spec in self._specs.items():
            if original.models and any(one.name == MODEL_PATHS for one in spec.settings):
                key = f"providers.{name}.{MODEL_PATHS}"
                folders = tuple(str(folder) for folder in original.models)
                try:
                    self._check_change(key, folders)
                except VenomError as error:
                    findings.append(Finding("models", "left", error.message))
                    continue
                changes[key] = folders
                findings.append(Finding("models", "taken", f"{key} = {', '.join(folders)}"))
        return findings, changes

    def _check_change(self, key: str, value: SettingValue) -> None:
        """Raise why the settings would refuse a value."""
        for problem in self._own_settings.problems({key: value}, self._specs.values()).values():
            raise problem

    def _places(self) -> Iterator[tuple[str, tuple[str, Setting]]]:
        """Return environment name -> its key in config.toml and its declaration."""
        for part in CORE_SETTINGS:
            yield part.env, (part.key, part.setting)
        for name, spec in self._specs.items():
            for setting in spec.settings:
                place = f"providers.{name}.{setting.name}", setting
                for env in (provider_variable(name, setting.name), *setting.env_aliases):
                    yield env, place

    # -- models ------------------------------------------------------------------------------

    async def _active(self, values: Mapping[str, str]) -> Any:
        server = values.get("ACTIVE_LLM_SERVER", "").lower()
        name = values.get("LLM_MODEL_NAME") or values.get(f"LAST_MODEL_{server.upper()}")
        if not name:
            return
        found = await find_model(self._registry, name, server)
        if found is None:
            yield Finding("LLM_MODEL_NAME", "left", f"{name} is not installed here.")
            return
        if not self._dry_run:
            try:
                await self._manager.use(found.reference, role="chat", actor=self._actor)
            except VenomError as error:
                yield Finding("LLM_MODEL_NAME", "left", error.message)
                return
        yield Finding("LLM_MODEL_NAME", "taken", f"the active chat model: {found.reference}")
        if short := await self._short(name, found):
            yield short

    async def _short(self, name: str, found: ListedModel) -> Finding | None:
        """Make an alias where the original's short name would mean nothing here."""
        short = name.rsplit("/", 1)[-1]
        try:
            if (await self._registry.resolve(short)).reference == found.reference:
                return None
        except VenomError:
            pass
        if not self._dry_run:
            await self._manager.set_alias(short, found.reference, self._actor)
        return Finding(short, "taken", f"an alias of {found.reference}")


# -- going back ------------------------------------------------------------------------------


def keep_for_rollback(paths: Paths) -> None:
    """Note what is here before an import; a second import keeps the first one's note."""
    note = _note(paths)
    if note.exists():
        return
    paths.make(note.parent)
    target = note.with_suffix(".zip")
    try:
        write_backup(paths, target)
        kept: str | None = target.name
    except NotFound:  # there was nothing yet
        kept = None
    note.write_text(json.dumps({"backup": kept}), encoding="utf-8")


def roll_back(paths: Paths) -> list[str]:
    """Put back what was here before the import; gives the names of what was restored or removed.

    Raises ``NotFound`` where nothing was imported.
    """
    note = _note(paths)
    if not note.exists():
        raise NotFound(
            "Nothing was imported from the original system.",
            code="legacy_not_imported",
            fix="venom legacy import FOLDER",
        )
    kept = _noted(note)
    if kept is None:
        ours = (paths.config_file, paths.secrets_file, paths.store_file)
        gone = [path for path in ours if path.exists()]
        for path in gone:
            path.unlink()
        for suffix in ("-wal", "-shm"):
            paths.store_file.with_name(f"{paths.store_file.name}{suffix}").unlink(missing_ok=True)
        names = [f"removed {path.name}" for path in gone]
    else:
        restore_backup(paths, note.parent / kept)
        if "secrets.toml" not in read_backup(note.parent / kept).files:
            paths.secrets_file.unlink(missing_ok=True)
        names = ["restored what was here before the import"]
    note.unlink()
    return names


def _noted(note: Path) -> str | None:
    """Return the archive's name in the note; None where there was nothing to keep."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        kept = json.loads(note.read_text(encoding="utf-8"))["backup"]
        if kept is None or (isinstance(kept, str) and Path(kept).name == kept):
            return kept
    raise StorageError(
        f"The note {note} is damaged.",
        code="backup_damaged",
        fix=f"Restore the archive that lies beside it: venom restore {note.with_suffix('.zip')}",
    )


def _note(paths: Paths) -> Path:
    return paths.home / "backups" / "before-legacy-import.json"
