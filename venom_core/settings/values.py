"""From what a layer holds to a value of the declared type, or a refusal that names the place.

pydantic does the converting: each declaration becomes one of its types.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from venom_core.sdk.bounded_json import loads
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.masking import MASK, keep_password, keep_secret
from venom_core.sdk.numbers import MOST_EXACT
from venom_core.sdk.spec import Setting, SettingValue
from venom_core.settings.addresses import SHAPES, Shaped

_LONGEST_SHOWN = 60
KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "url": "an http:// or https:// URL",
    "path": "a path",
    "list": "a list",
}


def convert(setting: Setting, raw: object, place: str) -> SettingValue:
    """Make ``raw`` (text of the environment, or a TOML or flag value) a value of the setting.

    Args:
        place: where it came from, as a person finds it: ``the environment variable VENOM_PORT``,
            ``[server] port in ~/.venom/config.toml``.

    Raises:
        InvalidRequest: ``invalid_setting``; names the place and what is accepted, and never
            shows a secret.
    """
    try:
        value: SettingValue = _adapter(setting).validate_python(raw)
    except ValidationError as error:
        if _kind(error) == _NO_ARRAY:
            raise _no_array(setting, place) from None
        wanted = _wanted(setting, error)
        raise InvalidRequest(
            f"The value in {place} must be {wanted}."
            if _hidden(setting, raw)
            else f"The value in {place} must be {wanted}, not {_shorten(raw)}.",
            fix=f"Correct or remove {place}.",
            code="invalid_setting",
            param=setting.name,
        ) from None
    _keep_secrets(setting, value)
    return value


def _no_array(setting: Setting, place: str) -> InvalidRequest:
    return InvalidRequest(
        f"The value in {place} begins with [ and is no JSON array of texts.",
        fix='Write one,two or ["one", "two"]; a text that itself begins with [ goes into an array:'
        ' ["[one]"].',
        code="invalid_setting",
        param=setting.name,
    )


def _keep_secrets(setting: Setting, value: SettingValue) -> None:
    """See that a secret, or the password in a URL, is masked wherever somebody echoes it."""
    for part in value if isinstance(value, tuple) else (value,):
        if setting.secret:
            keep_secret(part)
        else:
            keep_password(part)


def mask(setting: Setting, value: SettingValue) -> SettingValue:
    """Return the value as it may be shown: a secret is only said to be set, a URL loses its
    password."""
    if value is None or value == ():
        return value
    if setting.secret:
        return MASK
    if isinstance(value, tuple):
        return tuple(_without_credentials(item) for item in value)
    return _without_credentials(value) if isinstance(value, str) else value


@functools.lru_cache(maxsize=1024)
def _adapter(setting: Setting) -> TypeAdapter[Any]:
    return TypeAdapter(value_type(setting))


def value_type(setting: Setting) -> Any:
    """Return the pydantic type of a declaration: conversion, bounds and choices."""
    if setting.choices:
        choice: Any = cast(Any, Literal)[setting.choices]
        if setting.type != "list":
            return choice
        return Annotated[tuple[choice, ...], BeforeValidator(_split)]
    low, high = setting.minimum, setting.maximum
    match setting.type:
        case "int":
            bounds = Field(
                ge=-MOST_EXACT if low is None else low, le=MOST_EXACT if high is None else high
            )
            return Annotated[int, bounds, BeforeValidator(_no_truth)]
        case "float":
            finite = Field(ge=low, le=high, allow_inf_nan=False)
            return Annotated[float, finite, BeforeValidator(_no_truth)]
        case "bool":
            return bool
        case "list":
            item: Any = _Url if setting.items == "url" else _text_of(setting)
            return Annotated[tuple[item, ...], BeforeValidator(_split)]
        case "url":
            return _Url
    return _text_of(setting)


def _no_truth(raw: object) -> object:
    """Refuse a truth value as a number: pydantic takes ``true`` for 1."""
    if isinstance(raw, bool):
        raise ValueError("a truth value")
    return raw.strip() if isinstance(raw, str) else raw


def _text(raw: str) -> str:
    text = raw.strip()
    if not text or "\0" in text:
        raise ValueError("empty")
    return text


_Text = Annotated[str, AfterValidator(_text)]


def _text_of(setting: Setting) -> Any:
    if not isinstance(setting, Shaped):
        return _Text
    fits, _ = SHAPES[setting.shape]

    def check(text: str) -> str:
        if not fits(text):
            raise ValueError("another shape")
        return text

    return Annotated[_Text, AfterValidator(check)]


#: An IPv6 address in brackets, which is how hosts and URLs have it.
_ADDRESS = re.compile(r"\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[^\]\s]{1,60})?\]")
_NO_ARRAY = "no_array"


def _split(raw: object) -> object:
    """Split a list: in the environment at commas, or it is a JSON array; in the file it is an
    array."""
    if isinstance(raw, str):
        text = raw.strip()
        raw = _array(text) if text.startswith("[") and not _ADDRESS.match(text) else raw.split(",")
    if isinstance(raw, list | tuple):
        return tuple(x for x in raw if not isinstance(x, str) or x.strip())
    return raw


def _array(text: str) -> list[str]:
    try:
        found = loads(text.encode())
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise PydanticCustomError(_NO_ARRAY, _NO_ARRAY)
    return found


def _http_url(raw: str) -> str:
    """Check a URL; an address without a scheme, common in ``OLLAMA_HOST``, means http. The text
    stays as it was given, which pydantic's own URL types do not promise."""
    text = raw if "://" in raw else f"http://{raw}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("no http URL")
    if any(char.isspace() for char in text):
        raise ValueError("white space")
    return text


_Url = Annotated[_Text, AfterValidator(_http_url)]


def _wanted(setting: Setting, error: ValidationError) -> str:
    """Return the end of the sentence "must be ..."."""
    if setting.choices:
        return "one of " + ", ".join(setting.choices)
    if isinstance(setting, Shaped):
        return SHAPES[setting.shape][1]
    kind = _kind(error)
    if kind == "greater_than_equal":
        return f"at least {_number(setting.minimum, -MOST_EXACT)}"
    if kind == "less_than_equal":
        return f"at most {_number(setting.maximum, MOST_EXACT)}"
    return "http:// or https:// URLs" if setting.items == "url" else KINDS[setting.type]


def _kind(error: ValidationError) -> str:
    return error.errors(include_url=False, include_context=False, include_input=False)[0]["type"]


def _number(value: float | None, otherwise: int) -> str:
    value = otherwise if value is None else value
    return f"{value:g}" if abs(value) < 1e6 or not math.isfinite(value) else f"{value:.0f}"


def _hidden(setting: Setting, raw: object) -> bool:
    return setting.secret or "@" in str(raw)


def _shorten(raw: object) -> str:
    text = repr(raw)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


def _without_credentials(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    authority, slash, path = rest.partition("/")
    _, at, host = authority.rpartition("@")
    return f"{scheme}://{MASK}@{host}{slash}{path}" if at else text
