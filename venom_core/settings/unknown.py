"""Sentences about keys and variables that nothing reads, with the nearest that something does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from venom_core.sdk.spec import ProviderSpec
from venom_core.settings.core import CORE_SETTINGS, OTHER_VARIABLES
from venom_core.settings.variables import PREFIX, is_of_provider, provider_variable, variable_prefix

PROVIDERS = "providers"
_KEYS = tuple(part.key for part in CORE_SETTINGS)
TABLES = frozenset(key.partition(".")[0] for key in _KEYS)


def of_core(tables: Mapping[str, Any], env: Mapping[str, str], file: Path) -> Iterator[str]:
    """Yield what the core does not know: tables, their keys, and variables like ours."""
    for table, content in tables.items():
        if table == PROVIDERS:
            continue
        if table not in TABLES:
            yield _unknown_key(table, (*TABLES, PROVIDERS), file)
            continue
        for key in content:
            if f"{table}.{key}" not in _KEYS:
                yield _unknown_key(f"{table}.{key}", _KEYS, file)
    variables = {part.env for part in CORE_SETTINGS} | OTHER_VARIABLES.keys()
    for variable in env.keys() - variables:
        if variable.startswith(PREFIX) and not is_of_provider(variable):
            yield _unknown_variable(variable, variables)


def of_provider(
    spec: ProviderSpec, table: Iterable[str], env: Mapping[str, str], file: Path
) -> Iterator[str]:
    """Yield the keys and variables of a provider that it has no setting for."""
    names = {setting.name for setting in spec.settings}
    for key in table:
        if key not in names:
            base = f"{PROVIDERS}.{spec.name}"
            yield _unknown_key(f"{base}.{key}", [f"{base}.{name}" for name in names], file)
    variables = {provider_variable(spec.name, name) for name in names}
    for variable in env:
        if variable.startswith(variable_prefix(spec.name)) and variable not in variables:
            yield _unknown_variable(variable, variables)


def of_no_provider(
    names: Iterable[str], tables: Mapping[str, Any], env: Mapping[str, str], file: Path
) -> Iterator[str]:
    """Yield the tables and variables of providers that are not among ``names``."""
    known = set(names)
    found = tables.get(PROVIDERS, {})
    for name in found if isinstance(found, Mapping) else ():
        if name not in known:
            where = f"[{PROVIDERS}.{name}] in {file}"
            yield f"{where} is not used: no provider {name} is loaded."
    prefixes = tuple(variable_prefix(name) for name in known)
    for variable in env:
        if is_of_provider(variable) and not variable.startswith(prefixes):
            yield f"{variable} is not used: no provider of that name is loaded."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like another one, where any is."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, sorted(known), n=1)), None)


def _unknown_key(key: str, known: Iterable[str], file: Path) -> str:
    return f"{key} in {file} is not a setting{_near(key, known)}."


def _unknown_variable(variable: str, known: Iterable[str]) -> str:
    return f"{variable} is set and is not a setting of Venom{_near(variable, known)}."


def _near(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" (did you mean {near}?)" if near else ""
