"""A provider's settings as data for a form: JSON Schema, and each present value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from venom_core.sdk.records import ErrorRecord
from venom_core.sdk.spec import Setting

Origin = Literal["flag", "env", "file", "default"]

_KINDS: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "path": {"type": "string", "format": "path"},
    "url": {"type": "string", "format": "uri"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
}


class SettingView(TypedDict):
    """A setting and its present value.

    ``value`` is masked where it is secret, and null where nothing is set or ``error`` says why it
    cannot be used; ``origin`` is null then too. ``variable`` is the environment variable that it
    was read from, which need not be ``env``, the one of our own name.
    """

    key: str
    value: Any
    origin: Origin | None
    env: str
    variable: NotRequired[str]
    help: str
    error: NotRequired[ErrorRecord]


class FormSchema(TypedDict):
    """A JSON Schema; ``properties`` are the fields of the form by the setting's name."""

    type: Literal["object"]
    properties: dict[str, dict[str, Any]]
    additionalProperties: Literal[False]


class ProviderForm(TypedDict):
    """The settings of one provider. ``settings`` are in the order of the declaration, their names
    the last part of each key; ``warnings`` are about keys and variables that nothing reads."""

    provider: str
    title: str
    schema: FormSchema
    settings: list[SettingView]
    warnings: list[str]


def form_schema(settings: Iterable[Setting]) -> FormSchema:
    """Return the schema of a form for settings."""
    properties = {setting.name: _field(setting) for setting in settings}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _field(setting: Setting) -> dict[str, Any]:
    kind = setting.items if setting.type == "list" else setting.type
    field: dict[str, Any] = {**_KINDS[kind]}
    if setting.choices:
        field["enum"] = list(setting.choices)
    if setting.type == "list":
        field = {"type": "array", "items": field}
    field["description"] = setting.help
    for name, bound in (("minimum", setting.minimum), ("maximum", setting.maximum)):
        if bound is not None:
            field[name] = bound
    if setting.secret:
        field["writeOnly"] = True
    elif setting.default is not None:
        default = setting.default
        field["default"] = list(default) if isinstance(default, tuple) else default
    return field
