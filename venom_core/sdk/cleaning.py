"""Words of a plugin, an upstream, a file or an archive made fit to be shown: without control
characters and without secrets. How long they may be is judged elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from venom_core.sdk.masking import masked
from venom_core.sdk.printable import printable
from venom_core.sdk.provider import Model, PullPlan

T = TypeVar("T")

#: Where names are by which the stranger knows its own things, and gets them back letter by letter.
_EXACT = {Model: frozenset({"ref", "digest"}), PullPlan: frozenset({"ref"})}


def cleaned(value: T) -> T:
    """Return a value with every text in it fit to be shown; itself where all of them are. The refs
    of models stay as they are: the registry judges them."""
    return cast(T, _cleaned(value))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return printable(masked(value)) if type(value) is str else value
    if isinstance(value, Mapping):
        return _same_or(value, {_cleaned(name): _cleaned(item) for name, item in value.items()})
    if type(value) in (list, tuple):
        return _same_or(value, type(value)(_cleaned(item) for item in value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed, exact = {}, _EXACT.get(type(value), frozenset())
        for field in dataclasses.fields(value):
            before = getattr(value, field.name)
            if field.init and field.name not in exact and (after := _cleaned(before)) != before:
                changed[field.name] = after
        return dataclasses.replace(value, **changed) if changed else value
    return value


def _same_or(before: Any, after: Any) -> Any:
    return before if after == before else after
