"""Whether what a plugin returned has the fields that its type declares.

mypy holds the authors who use it to these types; a plugin that was never checked is met here. The
checks are made of the types' own annotations, so a new field is looked at without another line.
pydantic would compile a validator for each type at the first listing, which costs the first answer
more than all its checks, and takes an instance of a dataclass as it is, unchecked.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from venom_core.sdk.plausible import NUMBERS

T = TypeVar("T")
Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a dataclass: its type as it is declared, and the check of a value."""

    name: str
    hint: Any
    declared: str
    check: Check


def wrong_field(value: object, kind: type) -> str | None:
    """Return what is wrong with a value that should be of a dataclass, as a sentence without the
    words of whoever made it; None where each field is as declared.

    A number that cannot be is left to :mod:`venom_core.sdk.plausible`; what is no number at all, as
    a text with one in it, is wrong here.
    """
    return other_type(value, kind.__name__) if not isinstance(value, kind) else _wrong(value, kind)


def other_type(value: object, declared: str) -> str:
    """Return what is wrong with a value of another type than ``declared``, as a sentence."""
    return f"It is of the type {type(value).__name__} and no {declared}."


def _wrong(value: object, kind: type, path: str = "") -> str | None:
    for one in _fields(kind):
        name = path + one.name
        try:
            found = getattr(value, one.name)
            good = one.check(found)
        except Exception:
            return f"Its {name} cannot be read."
        if good:
            continue
        inner = type(found)
        if is_dataclass(inner) and inner in (one.hint, *get_args(one.hint)):
            return _wrong(found, inner, f"{name}.")
        return (
            f"Its {name}, of the type {inner.__name__}, does not fit the declared {one.declared}."
        )
    return None


def plain_copy(value: T, kind: type[T]) -> T:
    """Return an instance of a class of a plugin's own as one of ``kind`` itself: its fields, each
    read once."""
    if type(value) is kind:
        return value
    return kind(**{field.name: getattr(value, field.name) for field in fields(kind)})  # type: ignore[arg-type]


@functools.cache
def _fields(kind: type) -> tuple[_Field, ...]:
    hints, numbers = get_type_hints(kind), NUMBERS.get(kind, {})
    return tuple(
        _Field(
            field.name,
            hint := hints[field.name],
            field.type if isinstance(field.type, str) else str(hint),
            _number(hint) if field.name in numbers else _check(hint),
        )
        for field in fields(kind)
    )


def _number(hint: Any) -> Check:
    """Return the check of a number that may be any: whether it can be is judged elsewhere."""
    is_optional = type(None) in get_args(hint)
    return lambda value: type(value) in (int, float) or (value is None and is_optional)


def _check(hint: Any) -> Check:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return _anything
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in arguments
    if origin in (Union, types.UnionType):
        checks = tuple(map(_check, arguments))
        return lambda value: any(check(value) for check in checks)
    if origin is tuple and Ellipsis not in arguments:
        return _row(tuple(map(_check, arguments)))
    if origin in (tuple, frozenset, AbstractSet, Sequence):
        return _many(origin, _check(arguments[0]))
    if origin is Callable:
        return callable
    if origin is Mapping:
        return _pairs(_check(arguments[0]), _check(arguments[1]))
    return _plain(hint)


def _plain(hint: Any) -> Check:
    if hint in (int, bool, type(None)):  # True is an int to isinstance
        return lambda value: type(value) is hint
    if hint is float:
        return lambda value: type(value) in (int, float)
    if is_dataclass(hint):
        return lambda value: type(value) is hint and wrong_field(value, hint) is None
    return lambda value: isinstance(value, hint)


def _row(checks: tuple[Check, ...]) -> Check:
    def check(value: Any) -> bool:
        same = isinstance(value, tuple) and len(value) == len(checks)
        return same and all(one(item) for one, item in zip(checks, value, strict=True))

    return check


def _many(kind: Any, each: Check) -> Check:
    def check(value: Any) -> bool:
        return (
            isinstance(value, kind)
            and not isinstance(value, str | bytes)
            and all(each(item) for item in value)
        )

    return check


def _pairs(key: Check, item: Check) -> Check:
    def check(value: Any) -> bool:
        return isinstance(value, Mapping) and all(key(k) and item(v) for k, v in value.items())

    return check


def _anything(_value: object) -> bool:
    return True
