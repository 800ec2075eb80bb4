"""Changes of ``config.toml``: what is asked for is checked as a whole before anything is written.

One process writes at a time, whichever: the server, a command, or two of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from venom_core.sdk.errors import Conflict, InvalidRequest, VenomError
from venom_core.sdk.spec import Setting, SettingValue
from venom_core.settings.paths import Paths
from venom_core.settings.values import KINDS, convert

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
    """

    changed: tuple[str, ...] = ()
    restart_required: tuple[str, ...] = ()
    backup: str | None = None


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """A setting that can be changed: its declaration, and the variable or option that fixes it,
    in words, where one does."""

    setting: Setting
    variable: str | None = None
    option: str | None = None


def checked(
    updates: Mapping[str, object], known: Mapping[str, KnownSetting], held: Tables
) -> tuple[dict[str, SettingValue], dict[str, VenomError]]:
    """Return the new values by key, converted, None where a key is to be removed; and the refusal
    of each that cannot be changed.

    Args:
        held: what the file has now. A key in it that no setting knows can be removed.
    """
    values: dict[str, SettingValue] = {}
    problems: dict[str, VenomError] = {}
    for key, raw in updates.items():
        part = known.get(key)
        if part is None:
            if raw is None and value_at(held, key) is not None:
                values[key] = None
            else:
                problems[key] = _unknown(key, known)
        elif (fixed := _fixed(key, part)) is not None:
            problems[key] = fixed
        else:
            try:
                values[key] = None if raw is None else _converted(part.setting, raw, key)
            except InvalidRequest as error:
                problems[key] = error
    return values, problems


def together(problems: Collection[VenomError]) -> VenomError:
    """Return one refusal that says what each of several says; wrong input counts before what the
    environment fixes."""
    wrong = [problem for problem in problems if isinstance(problem, InvalidRequest)]
    first = next(iter(wrong or problems))
    if len(problems) == 1:
        return first
    return type(first)(
        " ".join(problem.message for problem in problems),
        code=first.code,
        param=", ".join(problem.param for problem in problems if problem.param),
        fix=" ".join(dict.fromkeys(problem.fix for problem in problems if problem.fix)),
    )


def _unknown(key: str, known: Mapping[str, KnownSetting]) -> InvalidRequest:
    from difflib import get_close_matches

    near = get_close_matches(key, sorted(known), n=1)
    return InvalidRequest(
        f"There is no setting {key!r}.",
        code="unknown_setting",
        param=key,
        fix=f"The nearest one is {near[0]}." if near else "They are listed by: venom config show",
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


def _converted(setting: Setting, raw: object, key: str) -> SettingValue:
    try:
        value = convert(setting, raw, key)
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str):
                text.encode()  # half a surrogate, which no file can hold
    except InvalidRequest as error:
        raise InvalidRequest(error.message, code=error.code, param=key, fix=error.fix) from None
    except UnicodeEncodeError:
        raise InvalidRequest(
            f"The value in {key} must be {KINDS[setting.type]}.",
            code="invalid_setting",
            param=key,
            fix=f"Correct or remove {key}.",
        ) from None
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
