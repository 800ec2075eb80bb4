"""Settings read from their layers; what is wrong in the file stops nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_core.sdk.masking import keep_secret, keep_secrets_of
from venom_core.sdk.spec import ProviderSpec, Setting, SettingValue
from venom_core.settings import backups, file, unknown
from venom_core.settings.changes import Tables, not_a_table
from venom_core.settings.core import CORE_SETTINGS, CoreSettings
from venom_core.settings.core_layers import BY_NAME, place_in, read_core, usable
from venom_core.settings.forms import Origin, ProviderForm, SettingView, form_schema
from venom_core.settings.paths import Paths
from venom_core.settings.unknown import PROVIDERS
from venom_core.settings.values import convert, mask
from venom_core.settings.variables import (
    place_of,
    provider_variable,
    value_of,
    variable_that_sets,
)

_BY_KEY = {part.key: part for part in CORE_SETTINGS}


@dataclass(frozen=True, slots=True)
class ResolvedProviderSettings:
    """Every declared setting of a provider by name, validated, and the layer it came from."""

    values: Mapping[str, SettingValue]
    origins: Mapping[str, Origin]


class ReadSettings:
    """The layers, and what they come to.

    ``core`` holds the core's values; ``problem`` says why ``config.toml`` cannot be used, None
    where it can.
    """

    core: CoreSettings

    def __init__(
        self,
        paths: Paths,
        env: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
    ) -> None:
        self.paths = paths
        self.problem: VenomError | None = None
        self._told: list[str] = []
        self._warned: list[str] = []
        self._env = dict(env or {})
        keep_secrets_of(self._env)
        self._flags = {name: value for name, value in (flags or {}).items() if value is not None}
        if strange := sorted(self._flags.keys() - BY_NAME.keys()):
            raise ValueError(f"no core setting is called {', '.join(strange)}")
        self._changing = threading.Lock()
        self._read_files()
        self._started = self.core
        for sentence in unknown.of_core(self._file, self._env, paths.config_file):
            self._warn(sentence)

    @property
    def warnings(self) -> list[str]:
        """Sentences about files that cannot be used, and about keys and variables that nothing
        reads, each once."""
        return [*self._told, *self._warned]

    def origin(self, key: str) -> Origin:
        """Return the layer that a core setting came from; ``key`` is its name or its key in the
        file."""
        part = BY_NAME.get(key) or _BY_KEY[key]
        return self._origins[part.name]

    def provider(self, spec: ProviderSpec) -> ResolvedProviderSettings:
        """Return the settings of a provider.

        Raises:
            InvalidRequest: ``invalid_setting`` with the setting's name as ``param``.
        """
        for sentence in self._unknown_of(spec):
            self._warn(sentence)
        values: dict[str, SettingValue] = {}
        origins: dict[str, Origin] = {}
        for setting in spec.settings:
            values[setting.name], origins[setting.name], _ = self._of_provider(spec, setting)
        return ResolvedProviderSettings(values, origins)

    def check_providers(self, specs: Iterable[ProviderSpec]) -> None:
        """Add warnings for tables and variables of providers that are not installed; to be called
        once every plugin is loaded."""
        names = [spec.name for spec in specs]
        config, secrets = self.paths.config_file, self.paths.secrets_file
        for sentence in (
            *unknown.of_no_provider(names, self._file, self._env, config),
            *unknown.of_no_provider(names, self._secrets, {}, secrets),
        ):
            self._warn(sentence)

    def rows(self, specs: Iterable[ProviderSpec] = ()) -> list[SettingView]:
        """Return every setting as ``venom config show`` prints it, secrets masked."""
        rows: list[SettingView] = [
            {
                "key": part.key,
                "value": mask(part.setting, getattr(self.core, part.name)),
                "origin": self._origins[part.name],
                "env": part.env,
                "help": part.setting.help,
            }
            for part in CORE_SETTINGS
        ]
        for spec in specs:
            rows.extend(self._provider_rows(spec))
        return rows

    def form(self, spec: ProviderSpec) -> ProviderForm:
        """Return the settings of a provider as a form shows them; nothing in them raises."""
        try:
            strange = [*self._unknown_of(spec)]
        except InvalidRequest:
            strange = []  # each of its settings says so
        return {
            "provider": spec.name,
            "title": spec.title,
            "schema": form_schema(spec.settings),
            "settings": self._provider_rows(spec),
            "warnings": strange,
        }

    def plugin_disabled(self, plugin: str) -> Origin | None:
        """Return the layer that disables a plugin, or None. The layers add up here: a list in the
        environment does not switch on again what was disabled by command."""
        above = self._origins["plugins_disabled"]
        if above in ("flag", "env") and plugin in self.core.plugins_disabled:
            return above
        return "file" if plugin in self._disabled_in(self._file) else None

    def restart_required(self) -> tuple[str, ...]:
        """Return the keys of the core's settings whose value counts from the next start on only,
        and is another one than this process was started with."""
        return tuple(
            part.key
            for part in CORE_SETTINGS
            if not part.live and getattr(self.core, part.name) != getattr(self._started, part.name)
        )

    def _read_files(self) -> None:
        """Read both files; in the place of one that cannot be used, what is known to be good.

        Raises ``InvalidRequest`` for what is wrong in a layer above.
        """
        self._read_secrets()
        path, held = self.paths.config_file, {}
        try:
            held = file.read(self.paths, path)
            self.core, self._origins = read_core(held, self._env, self._flags, path)
            self._file = held
            return
        except InvalidRequest as error:
            read_core({}, self._env, self._flags, path)  # raises what is not the file's
            self.problem = error
        self._file = usable(held, path)
        instead = "The values in it that can be used are, and the defaults of the others."
        if not held:
            instead = "The defaults are used."
        if (good := backups.last_good(self.paths)) is not None:
            self._file, instead = usable(good, path), "The last file that was good is used."
        self.core, self._origins = read_core(self._file, self._env, self._flags, path)
        self._told.append(f"{self.problem.message} {instead}")

    def _read_secrets(self) -> None:
        path = self.paths.secrets_file
        self._secrets: Tables = {}
        try:
            self._secrets = file.read(self.paths, path)
        except InvalidRequest as error:
            self._told.append(f"{error.message} No secret in it is used.")
        keep_secret(*_texts(self._secrets))
        if os.name == "posix" and path.exists() and path.stat().st_mode & 0o077:
            self._told.append(f"{path} can be read by others; do: chmod 600 {path}")

    def _of_provider(
        self, spec: ProviderSpec, setting: Setting
    ) -> tuple[SettingValue, Origin, str | None]:
        """Return the value, its layer, and the variable that it was read from."""
        if (variable := variable_that_sets(self._env, spec.name, setting)) is not None:
            raw = value_of(self._env, variable)
            return convert(setting, raw, place_of(variable)), "env", variable
        for path, tables in (
            (self.paths.secrets_file, self._secrets if setting.secret else {}),
            (self.paths.config_file, self._file),
        ):
            table = _provider_table(tables, spec.name, path)
            if setting.name in table:
                place = place_in(path, f"{PROVIDERS}.{spec.name}", setting.name)
                return convert(setting, table[setting.name], place), "file", None
        return setting.default, "default", None

    def _provider_rows(self, spec: ProviderSpec) -> list[SettingView]:
        return [self._provider_row(spec, setting) for setting in spec.settings]

    def _provider_row(self, spec: ProviderSpec, setting: Setting) -> SettingView:
        row: SettingView = {
            "key": f"{PROVIDERS}.{spec.name}.{setting.name}",
            "value": None,
            "origin": None,
            "env": provider_variable(spec.name, setting.name),
            "help": setting.help,
        }
        try:
            value, row["origin"], variable = self._of_provider(spec, setting)
            row["value"] = mask(setting, value)
            if variable is not None:
                row["variable"] = variable
        except InvalidRequest as error:
            row["error"] = error.record()
        return row

    def _disabled_in(self, held: Tables) -> list[str]:
        part = BY_NAME["plugins_disabled"]
        raw = held.get("plugins", {}).get("disabled", [])
        place = place_in(self.paths.config_file, "plugins", "disabled")
        names = convert(part.setting, raw, place)
        return list(names) if isinstance(names, tuple) else []

    def _unknown_of(self, spec: ProviderSpec) -> Iterator[str]:
        """Yield a sentence for each key and variable of a provider that it has no setting for, and
        for each secret that stands where the others do."""
        path = self.paths.config_file
        table = _provider_table(self._file, spec.name, path)
        yield from unknown.of_provider(spec, table, self._env, path)
        for setting in spec.settings:
            if setting.secret and setting.name in table:
                key = f"{PROVIDERS}.{spec.name}.{setting.name}"
                secrets = self.paths.secrets_file.name
                yield (
                    f"{key} is a secret and stands in {path}; put it into {secrets} with:"
                    f" venom config set {key}"
                )

    def _warn(self, sentence: str) -> None:
        if sentence not in self._warned:
            self._warned.append(sentence)


def _provider_table(tables: Tables, name: str, path: object) -> Mapping[str, Any]:
    found = tables.get(PROVIDERS, {})
    if not isinstance(found, dict):
        raise not_a_table(PROVIDERS, str(path))
    table = found.get(name, {})
    if not isinstance(table, dict):
        raise not_a_table(f"{PROVIDERS}.{name}", str(path))
    return table


def _texts(tables: Mapping[str, Any]) -> Iterator[str]:
    for value in tables.values():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, list):
            yield from (text for text in value if isinstance(text, str))
        elif isinstance(value, str):
            yield value
