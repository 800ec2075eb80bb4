"""Settings in layers: flag > environment > ``config.toml`` > default, each value's origin known;
and the one door through which the file is written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from venom_core.sdk.errors import Conflict, VenomError
from venom_core.sdk.spec import ProviderSpec, SettingValue
from venom_core.settings import backups, file
from venom_core.settings.changes import (
    Difference,
    KnownSetting,
    SettingsChange,
    Tables,
    apart,
    checked,
    differences,
    differing,
    put_all,
    together,
    writing,
)
from venom_core.settings.core import CORE_SETTINGS
from venom_core.settings.core_layers import read_core
from venom_core.settings.paths import Paths
from venom_core.settings.reading import ReadSettings
from venom_core.settings.unknown import PROVIDERS
from venom_core.settings.variables import provider_variable, value_of, variable_that_sets

log = logging.getLogger(__name__)


class Settings(ReadSettings):
    """The settings that this process works with, and their changes.

    Everything that changes them is one step: all of it or nothing, for this process and for what
    is on the disk. It blocks; callers on an event loop run it in a thread.
    """

    @classmethod
    def load(
        cls,
        paths: Paths,
        env: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
    ) -> Settings:
        """Read every layer. What is wrong in the file is kept in ``problem`` and told in
        ``warnings``: the last file that was good counts then.

        Args:
            env: usually ``os.environ``. An empty variable counts as unset, as compose files
                write it.
            flags: core settings by attribute name; ``None`` means that the flag was not given.

        Raises:
            InvalidRequest: ``invalid_setting``, naming the variable or the option.
        """
        return cls(paths, env, flags)

    def change(
        self,
        updates: Mapping[str, SettingValue],
        specs: Iterable[ProviderSpec] = (),
        called: Mapping[str, str] | None = None,
    ) -> SettingsChange:
        """Write settings, the secret ones into their own file, and work with them from here on.

        What others wrote meanwhile stays, and counts.

        Args:
            updates: ``table.key``, or ``providers.NAME.key``, and the new value, as a value of the
                setting's type or as its text; None removes it. What was shown in the place of a
                secret leaves it alone.
            specs: the providers whose settings may be changed.
            called: what whoever asks calls a key, where that is something else, for a refusal.

        Raises:
            InvalidRequest: ``invalid_setting``, ``unknown_setting`` or ``invalid_config_file``;
                every key that is at fault is named.
            Conflict: ``set_by_environment`` or ``set_by_flag``, naming the variable or the
                option; ``config_busy``.
            StorageError: ``home_not_writable`` or ``disk_full``.
        """
        known = self.known(specs)

        def wanted(*held: Tables) -> dict[str, SettingValue]:
            values, problems = checked(updates, known, held, called or {})
            if problems:
                raise together(problems.values())
            return values

        return self.write(wanted, [key for key, part in known.items() if part.setting.secret])

    def problems(
        self, updates: Mapping[str, SettingValue], specs: Iterable[ProviderSpec] = ()
    ) -> dict[str, VenomError]:
        """Return, by key, why :meth:`change` would refuse it; empty where it would not."""
        return checked(updates, self.known(specs), (self._file, self._secrets), {})[1]

    def set_plugin_disabled(self, plugin: str, disabled: bool) -> None:
        """Keep in ``config.toml`` that a plugin is, or is no longer, disabled. Raises as
        :meth:`change` does."""

        def wanted(held: Tables, _: Tables) -> dict[str, SettingValue]:
            chosen = [name for name in self._disabled_in(held) if name != plugin]
            return {"plugins.disabled": (*chosen, plugin) if disabled else tuple(chosen)}

        self.write(wanted)

    def write(
        self,
        wanted: Callable[[Tables, Tables], Mapping[str, SettingValue]],
        secret: Iterable[str] = (),
    ) -> SettingsChange:
        """Write what a function makes of the tables of both files, as :meth:`change` does, while
        nobody else writes. The function has checked what it gives, but for the core's settings.

        Args:
            secret: the keys that belong into the file of secrets.
        """
        config_file, secrets_file = self.paths.config_file, self.paths.secrets_file
        with self._changing, writing(self.paths):
            config = file.read(self.paths, config_file)
            secrets = file.read(self.paths, secrets_file)
            ours, hidden = apart(wanted(config, secrets), set(secret), config, secrets)
            after = put_all(config, ours), put_all(secrets, hidden)
            texts = {
                path: file.changed(self.paths, path, updates, tables)
                for path, updates, tables in (
                    (config_file, ours, after[0]),
                    (secrets_file, hidden, after[1]),
                )
                if updates
            }
            return self._put(texts, *after, tuple(dict.fromkeys((*ours, *hidden))))

    def replace(self, text: bytes, was: bytes) -> SettingsChange:
        """Put a new text in the place of ``config.toml``, as somebody edited it.

        Args:
            was: what was edited.

        Raises:
            Conflict: ``config_changed``: somebody else wrote it meanwhile.
            InvalidRequest, StorageError: as :meth:`change`.
        """
        path = self.paths.config_file
        with self._changing, writing(self.paths):
            if file.content(self.paths, path) != was:
                raise Conflict(
                    f"{path} was changed by somebody else meanwhile.",
                    code="config_changed",
                    fix="Edit it again: venom config edit",
                )
            after = file.tables_of(text, path)
            texts = {path: text} if text != was else {}
            return self._put(texts, after, file.read(self.paths, self.paths.secrets_file))

    def restore(self, backup: str) -> SettingsChange:
        """Put a backup in the place of ``config.toml``; what was there is backed up first, and
        secrets stay as they are.

        Raises:
            NotFound: ``config_backup_not_found``: there is no backup of that name here.
            InvalidRequest: it cannot be used, as at :meth:`change`.
            Conflict, StorageError: as :meth:`change`.
        """
        path = self.paths.config_file
        with self._changing, writing(self.paths):
            place = backups.find(self.paths, backup)
            text = file.content(self.paths, place)
            after = file.tables_of(text, place)
            read_core(after, self._env, self._flags, place)
            texts = {path: text} if text != file.content(self.paths, path) else {}
            return self._put(texts, after, file.read(self.paths, self.paths.secrets_file))

    def compare(self, backup: str, specs: Iterable[ProviderSpec] = ()) -> list[Difference]:
        """Return where the present file differs from a backup. Raises ``NotFound``
        (``config_backup_not_found``), ``InvalidRequest``."""
        place = backups.find(self.paths, backup)
        before = file.tables_of(file.content(self.paths, place), place)
        after = file.read(self.paths, self.paths.config_file)
        return differences(before, after, self.known(specs))

    def keep_good(self) -> None:
        """Keep the file as the one to go back to where a later one cannot be used, and complete a
        change that was broken off. A disk that does not take it is logged."""
        try:
            if self.paths.home.exists():
                with self._changing, writing(self.paths):
                    file.complete(self.paths)
                    if self.problem is None:
                        backups.keep_good(self.paths)
            for sentence in self.warnings if self.problem else ():
                log.warning("%s", sentence)
        except (VenomError, OSError) as error:
            log.warning("the configuration could not be kept as the last good one: %s", error)

    def known(self, specs: Iterable[ProviderSpec]) -> dict[str, KnownSetting]:
        """Return every setting by its key in the file."""
        known = {
            part.key: KnownSetting(
                part.setting,
                getattr(self.core, part.name),
                part.env if value_of(self._env, part.env) else None,
                part.option if part.name in self._flags else None,
                part.live,
                part.env,
            )
            for part in CORE_SETTINGS
        }
        for spec in specs:
            for setting in spec.settings:
                try:
                    value = self._of_provider(spec, setting)[0]
                except VenomError:
                    value = None
                variable = variable_that_sets(self._env, spec.name, setting)
                key = f"{PROVIDERS}.{spec.name}.{setting.name}"
                own = provider_variable(spec.name, setting.name)
                known[key] = KnownSetting(setting, value, variable, env=own)
        return known

    def _put(
        self,
        texts: Mapping[Path, str | bytes],
        config: Tables,
        secrets: Tables,
        keys: tuple[str, ...] | None = None,
    ) -> SettingsChange:
        """Write, and work with, files that hold these tables; the caller has the lock."""
        path = self.paths.config_file
        core, origins = read_core(config, self._env, self._flags, path)
        changed = differing(self._file, config) if keys is None else keys
        backup = None
        if texts:
            if path in texts:
                backup = backups.keep(self.paths, file.content(self.paths, path))
            try:
                file.complete(self.paths)
            except OSError as error:
                raise self.paths.not_writable(error) from error
            file.commit(self.paths, texts)
            backups.keep_good(self.paths)
        applied = (*differing(self._file, config), *differing(self._secrets, secrets))
        self._file, self._secrets = config, secrets
        self.core, self._origins = core, origins
        self.problem = None
        self._told.clear()
        return SettingsChange(
            changed, self.restart_required(), backup, tuple(dict.fromkeys(applied))
        )
