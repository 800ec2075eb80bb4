"""Changes of ``config.toml``: what is asked for is checked as a whole before anything is written.

One process writes at a time, whichever: the server, a command, or two of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from venom_core.sdk.errors import Conflict, InvalidRequest, VenomError
from venom_core.sdk.masking import MASK, is_secret_name, masked
from venom_core.sdk.spec import Setting, SettingValue
from venom_core.settings.paths import Paths
from venom_core.settings.unknown import nearest
from venom_core.settings.values import KINDS, convert, mask

#: Seconds that a writer waits for another one.
PATIENCE = 10.0

Tables = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """The result of a change.

    Args:
        changed: the keys whose value in the file is another one now, ``table.key``.
        restart_required: those of the core's settings, changed now or before, whose value this
            process does not work with until it is started again.
        backup: name of the copy of the file as it was before; None where nothing was changed, or
            there was no file.
        applied: the keys whose value is another one than this process worked with: those of
            ``changed``, and those that somebody else had written.
    """

    changed: tuple[str, ...] = ()
    restart_required: tuple[str, ...] = ()
    backup: str | None = None
    applied: tuple[str, ...] = ()


class Difference(TypedDict):
    """A key that one file has otherwise than another; null where it has none, a secret is a
    mask."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """A setting that can be changed: its declaration, its present value, the variable or the option
    that fixes it, where one does, whether a change counts at once, and its own variable."""

    setting: Setting
    value: SettingValue = None
    variable: str | None = None
    option: str | None = None
    live: bool = True
    env: str = ""

    @property
    def shown(self) -> SettingValue:
        """The value as it is shown: with a mask in the place of what is secret."""
        return mask(self.setting, self.value)


def checked(
    updates: Mapping[str, object],
    known: Mapping[str, KnownSetting],
    held: Collection[Tables],
    called: Mapping[str, str],
) -> tuple[dict[str, SettingValue], dict[str, VenomError]]:
    """Return the new values by key, converted, None where a key is to be removed; and the refusal
    of each that cannot be changed.

    Args:
        held: what the files have now. A key in it that no setting knows can be removed.
        called: what whoever asks calls a key, where that is something else.
    """
    values: dict[str, SettingValue] = {}
    problems: dict[str, VenomError] = {}
    for key, raw in updates.items():
        part, name = known.get(key), called.get(key, key)
        kept = any(value_at(tables, key) is not None for tables in held)
        if part is None:
            if raw is None and kept:
                values[key] = None
            else:
                problems[key] = _unknown(name, known)
            continue
        try:
            value = None if raw is None else _converted(part, raw, name)
        except InvalidRequest as error:
            problems[key] = error
            continue
        fixed = _fixed(name, part)
        if raw is not None and (_is_mask(part, value) or (value == part.value and not kept)):
            continue  # a form that sends back what it was shown
        if fixed is None:
            values[key] = value
        elif raw is None or value != part.value:
            problems[key] = fixed
    return values, problems


def _is_mask(part: KnownSetting, value: SettingValue) -> bool:
    """Return whether a value is what was shown in the place of a secret."""
    if part.setting.secret and value == MASK:
        return True
    return value == part.shown != part.value


def together(problems: Collection[VenomError]) -> VenomError:
    """Return one refusal that says what each of several says; wrong input counts before what the
    environment fixes."""
    wrong = [problem for problem in problems if isinstance(problem, InvalidRequest)]
    first = next(iter(wrong or problems))
    if len(problems) == 1:
        return first
    refusal = type(first)(
        " ".join(problem.message for problem in problems),
        code=first.code,
        param=", ".join(problem.param for problem in problems if problem.param),
        fix=" ".join(dict.fromkeys(problem.fix for problem in problems if problem.fix)),
    )
    refusal.parts = (*problems,)
    return refusal


def _unknown(key: str, known: Mapping[str, KnownSetting]) -> InvalidRequest:
    near = nearest(key, (*known, *(part.env for part in known.values())))
    return InvalidRequest(
        f"There is no setting {key!r}.",
        code="unknown_setting",
        param=key,
        fix=f"The nearest one is {near}." if near else "They are listed by: venom config show",
    )


def _fixed(key: str, part: KnownSetting) -> Conflict | None:
    if part.option is not None:
        return Conflict(
            f"{key} is set by the option {part.option}, which counts before the file.",
            code="set_by_flag",
            param=key,
            fix=f"Start Venom without {part.option}.",
        )
    if part.variable is not None:
        return Conflict(
            f"{key} is set by the environment variable {part.variable},"
            " which counts before the file.",
            code="set_by_environment",
            param=key,
            fix=f"Change {part.variable} where it is set, or remove it, and start Venom again.",
        )
    return None


def _converted(part: KnownSetting, raw: object, key: str) -> SettingValue:
    setting = part.setting
    if setting.secret and raw == MASK:
        return MASK
    try:
        value = convert(setting, raw, key)
    except InvalidRequest as error:
        raise InvalidRequest(error.message, code=error.code, param=key, fix=error.fix) from None
    texts = [text for text in (value if isinstance(value, tuple) else (value,))
             if isinstance(text, str)]  # fmt: skip
    try:
        for text in texts:
            text.encode()  # half a surrogate, which no file can hold
    except UnicodeEncodeError:
        raise InvalidRequest(
            f"The value in {key} must be {KINDS[setting.type]}.",
            code="invalid_setting",
            param=key,
            fix=f"Correct or remove {key}.",
        ) from None
    if not _is_mask(part, value) and any(MASK in text for text in texts):
        raise InvalidRequest(
            f"The value in {key} has a mask in the place of its secret.",
            code="invalid_setting",
            param=key,
            fix=f"Write {key} with the secret itself, or leave it as it was shown.",
        )
    return value


def value_at(tables: Mapping[str, Any], key: str) -> Any:
    """Return what tables hold at ``table.key``; None where nothing."""
    found: Any = tables
    for part in key.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def put(tables: Any, key: str, value: SettingValue) -> None:
    """Set or, with None, remove a key in tables; of tomlkit's, comments stay. Raises
    ``InvalidRequest`` where something else stands in the place of a table."""
    *path, name = key.split(".")
    for depth, part in enumerate(path, 1):
        if part not in tables:
            if value is None:
                return
            tables[part] = {}
        tables = tables[part]
        if not isinstance(tables, MutableMapping):
            raise not_a_table(".".join(path[:depth]), "config.toml")
    if value is not None:
        tables[name] = list(value) if isinstance(value, tuple) else value
    elif name in tables:
        del tables[name]


def put_all(tables: Tables, updates: Mapping[str, SettingValue]) -> Tables:
    """Return a copy of tables with values put into it. Raises as :func:`put`."""
    after = deepcopy(tables)
    for key, value in updates.items():
        put(after, key, value)
    return after


def apart(
    values: Mapping[str, SettingValue], secret: Collection[str], config: Tables, secrets: Tables
) -> tuple[dict[str, SettingValue], dict[str, SettingValue]]:
    """Return what is to be changed in ``config.toml``, and what in the file of secrets; what is so
    already is left out. A secret leaves the former for the latter."""
    ours: dict[str, SettingValue] = {}
    hidden: dict[str, SettingValue] = {}
    for key, value in values.items():
        target, tables = (hidden, secrets) if key in secret else (ours, config)
        if value is not None and not same(value, value_at(tables, key)):
            target[key] = value
        if (value is None or key in secret) and value_at(config, key) is not None:
            ours[key] = None
        if value is None and value_at(secrets, key) is not None:
            hidden[key] = None
    return ours, hidden


def differing(before: Tables, after: Tables, prefix: str = "") -> tuple[str, ...]:
    """Return the keys, ``table.key``, whose values differ."""
    found: list[str] = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) or isinstance(new, dict):
            inside = [part if isinstance(part, dict) else {} for part in (old, new)]
            found += differing(inside[0], inside[1], f"{prefix}{name}.")
        if not isinstance(old, dict) and not isinstance(new, dict) and old != new:
            found.append(f"{prefix}{name}")
    return tuple(found)


def differences(
    before: Tables, after: Tables, known: Mapping[str, KnownSetting]
) -> list[Difference]:
    """Return where two files differ, as it may be shown."""
    return [
        {
            "key": key,
            "before": _showable(known.get(key), key, value_at(before, key)),
            "after": _showable(known.get(key), key, value_at(after, key)),
        }
        for key in differing(before, after)
    ]


def _showable(part: KnownSetting | None, key: str, value: Any) -> Any:
    """Return a value of a file; one that may be a secret, by its declaration or its name, as a
    mask."""
    name = key.rpartition(".")[2]
    secret = part.setting.secret if part else is_secret_name(name)
    if value is None or secret:
        return None if value is None else MASK
    if isinstance(value, list):
        return [_showable(part, key, item) for item in value]
    if isinstance(value, str):
        return mask(Setting(name, "str", None, ""), masked(value))
    return value if isinstance(value, bool | int | float) else str(value)


def not_a_table(table: str, place: str) -> InvalidRequest:
    """Return the refusal of a file in which a value stands where a table belongs."""
    return InvalidRequest(
        f"{table} in {place} must be a table.",
        fix=f"Write it as [{table}] with its keys below.",
        code="invalid_setting",
        param=table,
    )


def same(value: SettingValue, held: object) -> bool:
    """Return whether the file holds a value already."""
    plain = list(value) if isinstance(value, tuple) else value
    return type(plain) is type(held) and plain == held


@contextlib.contextmanager
def writing(paths: Paths, patience: float = PATIENCE) -> Iterator[None]:
    """Keep every other process from writing the configuration while the block runs.

    Raises:
        Conflict: ``config_busy``.
        StorageError: ``home_not_writable``.
    """
    import filelock

    lock = filelock.FileLock(paths.make(paths.run_dir) / "config.lock", mode=0o600)
    try:
        lock.acquire(timeout=patience, poll_interval=0.01)
    except filelock.Timeout as error:
        raise Conflict(
            "Another process is writing the configuration.",
            code="config_busy",
            fix="Try again in a moment.",
        ) from error
    except OSError as error:
        raise paths.not_writable(error) from error
    try:
        yield
    finally:
        lock.release()
