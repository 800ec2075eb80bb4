"""From what a layer holds to a value of the declared type, or a refusal that names the place."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.spec import Setting, SettingValue

MASK = "********"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_LONGEST_SHOWN = 60
_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "url": "an http:// or https:// URL",
    "path": "a path",
    "list": "a list",
}


class _UnfitError(ValueError):
    """What the value should have been, as the end of the sentence "must be ..."."""


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
        value = _typed(setting, raw)
        _check_bounds(setting, value)
    except _UnfitError as unfit:
        shown = "" if _hidden(setting, raw) else f", not {_shorten(raw)}"
        raise InvalidRequest(
            f"The value in {place} must be {unfit}{shown}.",
            fix=f"Correct or remove {place}.",
            code="invalid_setting",
            param=setting.name,
        ) from None
    return value


def mask(setting: Setting, value: SettingValue) -> SettingValue:
    """The value as it may be shown: a secret is only said to be set, a URL loses its password."""
    if value is None or value == ():
        return value
    if setting.secret:
        return MASK
    if isinstance(value, tuple):
        return tuple(_without_credentials(item) for item in value)
    return _without_credentials(value) if isinstance(value, str) else value


def _typed(setting: Setting, raw: object) -> SettingValue:
    wrong = _UnfitError(_KINDS[setting.type])
    match setting.type:
        case "int":
            return _number(raw, wrong, whole=True)
        case "float":
            return _number(raw, wrong, whole=False)
        case "bool":
            return _truth(raw, wrong)
        case "list":
            return _items(raw, wrong)
    if not isinstance(raw, str) or not raw.strip() or "\0" in raw:
        raise wrong
    if setting.type == "url":
        return _url(raw.strip(), wrong)
    return raw.strip()


def _number(raw: object, wrong: _UnfitError, *, whole: bool) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise wrong
    if whole and isinstance(raw, float):
        raise wrong
    try:
        value = int(raw) if whole else float(raw)
    except (ValueError, OverflowError):
        raise wrong from None
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong
    return value


def _truth(raw: object, wrong: _UnfitError) -> bool:
    if isinstance(raw, bool):
        return raw
    text = raw.strip().lower() if isinstance(raw, str) else ""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise wrong


def _items(raw: object, wrong: _UnfitError) -> tuple[str, ...]:
    if isinstance(raw, str):
        raw = raw.split(",")
    if not isinstance(raw, list | tuple) or not all(isinstance(item, str) for item in raw):
        raise wrong
    return tuple(item.strip() for item in raw if item.strip())


def _url(raw: str, wrong: _UnfitError) -> str:
    """Addresses without a scheme are common in ``OLLAMA_HOST``: they mean http."""
    text = raw if "://" in raw else f"http://{raw}"
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise wrong
    if any(char.isspace() for char in text):
        raise wrong
    return text


def _check_bounds(setting: Setting, value: SettingValue) -> None:
    if setting.choices:
        chosen = value if isinstance(value, tuple) else (value,)
        if any(item not in setting.choices for item in chosen):
            raise _UnfitError("one of " + ", ".join(setting.choices))
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = setting.minimum, setting.maximum
        if low is not None and value < low:
            raise _UnfitError(f"at least {low:g}" if abs(low) < 1e6 else f"at least {low:.0f}")
        if high is not None and value > high:
            raise _UnfitError(f"at most {high:g}" if abs(high) < 1e6 else f"at most {high:.0f}")


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
