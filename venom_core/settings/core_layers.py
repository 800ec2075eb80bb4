"""The core's settings, read from their layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from venom_core.sdk.errors import InvalidRequest
from venom_core.settings.changes import Tables, not_a_table
from venom_core.settings.core import CORE_SETTINGS, LAYERS, CoreSetting, CoreSettings
from venom_core.settings.forms import Origin
from venom_core.settings.unknown import PROVIDERS, TABLES
from venom_core.settings.values import convert
from venom_core.settings.variables import place_of, value_of

BY_NAME = {part.name: part for part in CORE_SETTINGS}


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
        return self._lookup(BY_NAME[field_name])[0], field_name, False

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


def read_core(
    tables: Tables, env: Mapping[str, str], flags: Mapping[str, object], file: object
) -> tuple[CoreSettings, dict[str, Origin]]:
    """Return the core's values, and where each is from.

    Args:
        tables: what the file holds.
        file: its name in a refusal.

    Raises:
        InvalidRequest: ``invalid_setting``, naming the place.
    """
    for table in (TABLES | {PROVIDERS}) & tables.keys():
        if not isinstance(tables[table], dict):
            raise not_a_table(table, str(file))

    def flag(part: CoreSetting) -> tuple[object, str]:
        return flags.get(part.name), f"the option {part.option}"

    def variable(part: CoreSetting) -> tuple[object, str]:
        return value_of(env, part.env), place_of(part.env)

    def in_file(part: CoreSetting) -> tuple[object, str]:
        table, _, key = part.key.partition(".")
        return tables.get(table, {}).get(key), place_in(file, table, key)

    origins: dict[str, Origin] = dict.fromkeys(BY_NAME, "default")
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


def usable(tables: Tables, file: object) -> Tables:
    """Return tables without what the core cannot use in them."""
    found: Tables = {}
    for table, content in tables.items():
        if not isinstance(content, dict):
            if table not in TABLES | {PROVIDERS}:
                found[table] = content
            continue
        found[table] = dict(content)
        for part in CORE_SETTINGS:
            of, _, key = part.key.partition(".")
            if of == table and key in content:
                try:
                    convert(part.setting, content[key], place_in(file, table, key))
                except InvalidRequest:
                    del found[table][key]
    return found


def place_in(file: object, table: str, key: str) -> str:
    """Return a key of a file in words, as a person finds it."""
    return f"[{table}] {key} in {file}"
