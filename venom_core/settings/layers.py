"""Settings in layers: flag > environment > ``config.toml`` > default, each value's origin known."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_core.sdk.masking import keep_secrets_of
from venom_core.sdk.spec import ProviderSpec, Setting, SettingValue
from venom_core.sdk.text_files import unquoted
from venom_core.settings import file
from venom_core.settings.backups import keep_backup
from venom_core.settings.changes import (
    KnownSetting,
    SettingsChange,
    Tables,
    checked,
    not_a_table,
    put,
    same,
    together,
    value_at,
    writing,
)
from venom_core.settings.core import (
    CORE_SETTINGS,
    LAYERS,
    OTHER_VARIABLES,
    CoreSetting,
    CoreSettings,
)
from venom_core.settings.forms import Origin, ProviderForm, SettingView, form_schema
from venom_core.settings.paths import Paths
from venom_core.settings.values import convert, mask

_PREFIX = "VENOM_"
_PROVIDERS = "providers"
_BY_NAME = {part.name: part for part in CORE_SETTINGS}
_BY_KEY = {part.key: part for part in CORE_SETTINGS}


@dataclass(frozen=True, slots=True)
class ResolvedProviderSettings:
    """Every declared setting of a provider by name, validated, and the layer it came from."""

    values: Mapping[str, SettingValue]
    origins: Mapping[str, Origin]


def provider_variable(provider: str, setting: str) -> str:
    """Return the environment variable of a provider's setting: ``VENOM_VLLM__PYTHON``."""
    return f"{_variable_prefix(provider)}{setting.upper()}"


def _variable_prefix(provider: str) -> str:
    return f"{_PREFIX}{provider.upper().replace('-', '_')}__"


class Layer(PydanticBaseSettingsSource):
    """One layer of the core's settings.

    Args:
        origin: its name, noted in ``origins`` for each value that comes from here.
        lookup: gives what the layer holds for a setting, None where nothing, and the place.
    """

    def __init__(
        self,
        origin: Origin,
        lookup: Callable[[CoreSetting], tuple[object, str]],
        origins: dict[str, Origin],
    ) -> None:
        super().__init__(CoreSettings)
        self._origin = origin
        self._lookup = lookup
        self._origins = origins

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value as the layer holds it; pydantic-settings asks for this form."""
        return self._lookup(_BY_NAME[field_name])[0], field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the converted values of this layer that no higher one has: an unusable value that
        nobody would see is nobody's trouble."""
        values: dict[str, Any] = {}
        for part in CORE_SETTINGS:
            raw, place = self._lookup(part)
            if raw is not None and part.name not in self.current_state:
                values[part.name] = convert(part.setting, raw, place)
                self._origins[part.name] = self._origin
        return values


class Settings:
    """The settings that this process works with.

    ``core`` holds the core's values; ``warnings`` are sentences about keys and variables that
    nothing reads, each said once.
    """

    def __init__(
        self,
        paths: Paths,
        env: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
    ) -> None:
        self.paths = paths
        self.warnings: list[str] = []
        self._env = dict(env or {})
        keep_secrets_of(self._env)
        self._flags = {name: value for name, value in (flags or {}).items() if value is not None}
        self._file = file.read(paths.config_file)
        self._changing = threading.Lock()
        self._check_flags()
        self.core, self._origins = self._read_core(self._file)
        self._started = self.core
        self._warn_unknown()

    @classmethod
    def load(
        cls,
        paths: Paths,
        env: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
    ) -> Settings:
        """Read every layer.

        Args:
            env: usually ``os.environ``. An empty variable counts as unset, as compose files
                write it.
            flags: core settings by attribute name; ``None`` means that the flag was not given.

        Raises:
            InvalidRequest: ``invalid_config_file``, or ``invalid_setting`` naming the place.
        """
        return cls(paths, env, flags)

    def origin(self, key: str) -> Origin:
        """Return the layer that a core setting came from; ``key`` is its name or its key in the
        file."""
        part = _BY_NAME.get(key) or _BY_KEY[key]
        return self._origins[part.name]

    def provider(self, spec: ProviderSpec) -> ResolvedProviderSettings:
        """Return the settings of a provider.

        Raises:
            InvalidRequest: ``invalid_setting`` with the setting's name as ``param``.
        """
        table = self._provider_table(spec.name)
        for sentence in self._unknown_of(spec, table):
            self._warn(sentence)
        values: dict[str, SettingValue] = {}
        origins: dict[str, Origin] = {}
        for setting in spec.settings:
            values[setting.name], origins[setting.name], _ = self._of_provider(spec, setting, table)
        return ResolvedProviderSettings(values, origins)

    def check_providers(self, specs: Iterable[ProviderSpec]) -> None:
        """Add warnings for tables and variables of providers that are not installed; to be called
        once every plugin is loaded."""
        names = {spec.name for spec in specs}
        for name in self._file.get(_PROVIDERS, {}):
            if name not in names:
                where = f"[{_PROVIDERS}.{name}] in {self.paths.config_file}"
                self._warn(f"{where} is not used: no provider {name} is loaded.")
        prefixes = tuple(_variable_prefix(name) for name in names)
        for variable in self._env:
            if _is_of_provider(variable) and not variable.startswith(prefixes):
                self._warn(f"{variable} is not used: no provider of that name is loaded.")

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
            unknown = [*self._unknown_of(spec, self._provider_table(spec.name))]
        except InvalidRequest:
            unknown = []  # each of its settings says so
        return {
            "provider": spec.name,
            "title": spec.title,
            "schema": form_schema(spec.settings),
            "settings": self._provider_rows(spec),
            "warnings": unknown,
        }

    def plugin_disabled(self, plugin: str) -> Origin | None:
        """Return the layer that disables a plugin, or None. The layers add up here: a list in the
        environment does not switch on again what was disabled by command."""
        above = self._origins["plugins_disabled"]
        if above in ("flag", "env") and plugin in self.core.plugins_disabled:
            return above
        return "file" if plugin in self._disabled_in(self._file) else None

    def set_plugin_disabled(self, plugin: str, disabled: bool) -> None:
        """Keep in ``config.toml`` that a plugin is, or is no longer, disabled. Raises as
        :meth:`change` does."""

        def wanted(held: Tables) -> dict[str, SettingValue]:
            chosen = [name for name in self._disabled_in(held) if name != plugin]
            return {"plugins.disabled": (*chosen, plugin) if disabled else tuple(chosen)}

        self.write(wanted)

    def change(
        self, updates: Mapping[str, SettingValue], specs: Iterable[ProviderSpec] = ()
    ) -> SettingsChange:
        """Write settings to ``config.toml`` and work with them from here on.

        All of them are changed, or none. What others wrote into the file meanwhile stays. It
        blocks; callers on an event loop run it in a thread.

        Args:
            updates: ``table.key``, or ``providers.NAME.key``, and the new value, as a value of the
                setting's type or as its text; None removes it.
            specs: the providers whose settings may be changed.

        Raises:
            InvalidRequest: ``invalid_setting``, ``unknown_setting`` or ``invalid_config_file``;
                every key that is at fault is named.
            Conflict: ``set_by_environment`` or ``set_by_flag``, naming the variable or the
                option; ``config_busy``.
            StorageError: ``home_not_writable`` or ``disk_full``.
        """
        known = self._known(specs)

        def wanted(held: Tables) -> dict[str, SettingValue]:
            values, problems = checked(updates, known, held)
            if problems:
                raise together(problems.values())
            return values

        return self.write(wanted)

    def problems(
        self, updates: Mapping[str, SettingValue], specs: Iterable[ProviderSpec] = ()
    ) -> dict[str, VenomError]:
        """Return, by key, why :meth:`change` would refuse it; empty where it would not."""
        return checked(updates, self._known(specs), self._file)[1]

    def write(self, wanted: Callable[[Tables], Mapping[str, SettingValue]]) -> SettingsChange:
        """Write what a function makes of the file's tables, as :meth:`change` does, while nobody
        else writes. The function has checked what it gives, but for the core's settings."""
        with self._changing, writing(self.paths):
            held = file.read(self.paths.config_file)
            after = deepcopy(held)
            changes = {
                key: value
                for key, value in wanted(held).items()
                if not same(value, value_at(held, key))
            }
            self._check_tables(held)
            for key, value in changes.items():
                put(after, key, value)
            core, origins = self._read_core(after)
            backup = None
            if changes:
                backup = keep_backup(self.paths)
                file.change(self.paths, changes, after)
            self._file, self.core, self._origins = after, core, origins
        return SettingsChange(tuple(changes), self.restart_required(), backup)

    def restart_required(self) -> tuple[str, ...]:
        """Return the keys of the core's settings whose value counts from the next start on only,
        and is another one than this process was started with."""
        return tuple(
            part.key
            for part in CORE_SETTINGS
            if not part.live and getattr(self.core, part.name) != getattr(self._started, part.name)
        )

    def _known(self, specs: Iterable[ProviderSpec]) -> dict[str, KnownSetting]:
        """Return every setting by its key in the file."""
        known = {
            part.key: KnownSetting(
                part.setting,
                variable=part.env if unquoted(self._env.get(part.env, "")) else None,
                option=part.option if part.name in self._flags else None,
            )
            for part in CORE_SETTINGS
        }
        for spec in specs:
            for setting in spec.settings:
                key = f"{_PROVIDERS}.{spec.name}.{setting.name}"
                known[key] = KnownSetting(setting, self._variable_of(spec, setting))
        return known

    def _read_core(self, held: Tables) -> tuple[CoreSettings, dict[str, Origin]]:
        """Return the core's values with these tables as the file's, and where each is from."""
        self._check_tables(held)

        def flag(part: CoreSetting) -> tuple[object, str]:
            return self._flags.get(part.name), f"the option {part.option}"

        def variable(part: CoreSetting) -> tuple[object, str]:
            return unquoted(self._env.get(part.env, "")) or None, _variable_place(part.env)

        def in_file(part: CoreSetting) -> tuple[object, str]:
            table, _, key = part.key.partition(".")
            return held.get(table, {}).get(key), self._file_place(table, key)

        origins: dict[str, Origin] = dict.fromkeys(_BY_NAME, "default")
        layers = (
            Layer("flag", flag, origins),
            Layer("env", variable, origins),
            Layer("file", in_file, origins),
        )
        token = LAYERS.set(layers)
        try:
            return CoreSettings(), origins
        finally:
            LAYERS.reset(token)

    def _variable_of(self, spec: ProviderSpec, setting: Setting) -> str | None:
        """Return the variable that sets a provider's setting, where one does."""
        for variable in (provider_variable(spec.name, setting.name), *setting.env_aliases):
            if unquoted(self._env.get(variable, "")):
                return variable
        return None

    def _of_provider(
        self, spec: ProviderSpec, setting: Setting, table: Mapping[str, object]
    ) -> tuple[SettingValue, Origin, str | None]:
        """Return the value, its layer, and the variable that it was read from."""
        if (variable := self._variable_of(spec, setting)) is not None:
            raw = unquoted(self._env[variable])
            return convert(setting, raw, _variable_place(variable)), "env", variable
        if setting.name in table:
            place = self._file_place(f"{_PROVIDERS}.{spec.name}", setting.name)
            return convert(setting, table[setting.name], place), "file", None
        return setting.default, "default", None

    def _provider_rows(self, spec: ProviderSpec) -> list[SettingView]:
        return [self._provider_row(spec, setting) for setting in spec.settings]

    def _provider_row(self, spec: ProviderSpec, setting: Setting) -> SettingView:
        row: SettingView = {
            "key": f"{_PROVIDERS}.{spec.name}.{setting.name}",
            "value": None,
            "origin": None,
            "env": provider_variable(spec.name, setting.name),
            "help": setting.help,
        }
        try:
            table = self._provider_table(spec.name)
            value, row["origin"], variable = self._of_provider(spec, setting, table)
            row["value"] = mask(setting, value)
            if variable is not None:
                row["variable"] = variable
        except InvalidRequest as error:
            row["error"] = error.record()
        return row

    def _provider_table(self, name: str) -> Mapping[str, object]:
        table = self._file.get(_PROVIDERS, {}).get(name, {})
        if not isinstance(table, dict):
            raise not_a_table(f"{_PROVIDERS}.{name}", str(self.paths.config_file))
        return table

    def _disabled_in(self, held: Tables) -> list[str]:
        part = _BY_NAME["plugins_disabled"]
        raw = held.get("plugins", {}).get("disabled", [])
        names = convert(part.setting, raw, self._file_place("plugins", "disabled"))
        return list(names) if isinstance(names, tuple) else []

    def _check_flags(self) -> None:
        unknown = sorted(self._flags.keys() - _BY_NAME.keys())
        if unknown:
            raise ValueError(f"no core setting is called {', '.join(unknown)}")

    def _check_tables(self, held: Tables) -> None:
        tables = {part.key.partition(".")[0] for part in CORE_SETTINGS} | {_PROVIDERS}
        for table in tables & held.keys():
            if not isinstance(held[table], dict):
                raise not_a_table(table, str(self.paths.config_file))

    def _warn_unknown(self) -> None:
        tables = {part.key.partition(".")[0] for part in CORE_SETTINGS}
        for table, content in self._file.items():
            if table == _PROVIDERS:
                continue
            if table not in tables:
                self._warn(self._unknown_key(table, (*tables, _PROVIDERS)))
                continue
            for key in content:
                if f"{table}.{key}" not in _BY_KEY:
                    self._warn(self._unknown_key(f"{table}.{key}", _BY_KEY))
        variables = {part.env for part in CORE_SETTINGS} | OTHER_VARIABLES.keys()
        for variable in self._env.keys() - variables:
            if variable.startswith(_PREFIX) and not _is_of_provider(variable):
                self._warn(_unknown_variable(variable, variables))

    def _unknown_of(self, spec: ProviderSpec, table: Mapping[str, object]) -> Iterator[str]:
        """Yield a sentence for each key and variable of a provider that it has no setting for."""
        names = {setting.name for setting in spec.settings}
        for key in table:
            if key not in names:
                base = f"{_PROVIDERS}.{spec.name}"
                yield self._unknown_key(f"{base}.{key}", [f"{base}.{name}" for name in names])
        variables = {provider_variable(spec.name, name) for name in names}
        for variable in self._env:
            if variable.startswith(_variable_prefix(spec.name)) and variable not in variables:
                yield _unknown_variable(variable, variables)

    def _unknown_key(self, key: str, known: Iterable[str]) -> str:
        return f"{key} in {self.paths.config_file} is not a setting{_near(key, known)}."

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def _file_place(self, table: str, key: str) -> str:
        return f"[{table}] {key} in {self.paths.config_file}"


def _variable_place(variable: str) -> str:
    return f"the environment variable {variable}"


def _is_of_provider(variable: str) -> bool:
    return variable.startswith(_PREFIX) and "__" in variable


def _unknown_variable(variable: str, known: Iterable[str]) -> str:
    return f"{variable} is set and is not a setting of Venom{_near(variable, known)}."


def _near(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
