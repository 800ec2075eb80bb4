"""Settings in layers: flag > environment > ``config.toml`` > default, each value's origin known."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.masking import keep_secrets_of
from venom_core.sdk.spec import ProviderSpec, Setting, SettingValue
from venom_core.sdk.text_files import unquoted
from venom_core.settings import file
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

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

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
        self._origins: dict[str, Origin] = {}
        self._changing = threading.Lock()
        self._check_tables()
        self.core = self._read_core()
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
        return "file" if plugin in self._disabled_in_file() else None

    def set_plugin_disabled(self, plugin: str, disabled: bool) -> None:
        """Keep in ``config.toml`` that a plugin is, or is no longer, disabled.

        Raises:
            StorageError: ``home_not_writable``.
        """
        with self._changing:
            chosen = [name for name in self._disabled_in_file() if name != plugin]
            if disabled:
                chosen.append(plugin)

            def edit(document: TOMLDocument) -> None:
                document.setdefault("plugins", {})["disabled"] = chosen

            file.change(self.paths, edit)
            self._file.setdefault("plugins", {})["disabled"] = chosen
            if self._origins["plugins_disabled"] in ("file", "default"):
                self._origins["plugins_disabled"] = "file"
                self.core = self.core.model_copy(update={"plugins_disabled": tuple(chosen)})

    def _read_core(self) -> CoreSettings:
        def flag(part: CoreSetting) -> tuple[object, str]:
            return self._flags.get(part.name), f"the option --{part.name.replace('_', '-')}"

        def variable(part: CoreSetting) -> tuple[object, str]:
            return unquoted(self._env.get(part.env, "")) or None, _variable_place(part.env)

        def in_file(part: CoreSetting) -> tuple[object, str]:
            table, _, key = part.key.partition(".")
            return self._file.get(table, {}).get(key), self._file_place(table, key)

        self._origins = dict.fromkeys(_BY_NAME, "default")
        layers = (
            Layer("flag", flag, self._origins),
            Layer("env", variable, self._origins),
            Layer("file", in_file, self._origins),
        )
        token = LAYERS.set(layers)
        try:
            return CoreSettings()
        finally:
            LAYERS.reset(token)

    def _of_provider(
        self, spec: ProviderSpec, setting: Setting, table: Mapping[str, object]
    ) -> tuple[SettingValue, Origin, str | None]:
        """Return the value, its layer, and the variable that it was read from."""
        for variable in (provider_variable(spec.name, setting.name), *setting.env_aliases):
            raw = unquoted(self._env.get(variable, ""))
            if raw:
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
            raise self._not_a_table(f"{_PROVIDERS}.{name}")
        return table

    def _disabled_in_file(self) -> list[str]:
        part = _BY_NAME["plugins_disabled"]
        raw = self._file.get("plugins", {}).get("disabled", [])
        names = convert(part.setting, raw, self._file_place("plugins", "disabled"))
        return list(names) if isinstance(names, tuple) else []

    def _check_tables(self) -> None:
        unknown = sorted(self._flags.keys() - _BY_NAME.keys())
        if unknown:
            raise ValueError(f"no core setting is called {', '.join(unknown)}")
        tables = {part.key.partition(".")[0] for part in CORE_SETTINGS} | {_PROVIDERS}
        for table in tables & self._file.keys():
            if not isinstance(self._file[table], dict):
                raise self._not_a_table(table)

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

    def _not_a_table(self, table: str) -> InvalidRequest:
        return InvalidRequest(
            f"{table} in {self.paths.config_file} must be a table.",
            fix=f"Write it as [{table}] with its keys below.",
            code="invalid_setting",
            param=table,
        )


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
