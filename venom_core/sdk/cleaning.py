"""Words of a plugin, an upstream, a file or an archive made fit to be shown: without control
characters and without secrets. How long they may be is judged elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Mapping
from enum import Enum
from typing import Any, TypeVar, cast

from venom_core.sdk.masking import masked
from venom_core.sdk.messages import Embeddings
from venom_core.sdk.printable import one_line, printable
from venom_core.sdk.provider import Model, PullPlan

T = TypeVar("T")

#: Where names are by which the stranger knows its own things, and gets them back letter by letter;
#: and where millions of numbers are, in which there is no word.
_EXACT = {
    Model: frozenset({"ref", "digest"}),
    PullPlan: frozenset({"ref"}),
    Embeddings: frozenset({"vectors"}),
}


#: Fields whose texts may have several lines; in every other field of a dataclass it is one.
_LINES = frozenset({"fix", "log_tail", "message", "prompt_template", "summary", "why_not"})


def cleaned(value: T) -> T:
    """Return a value with every text in it fit to be shown; itself where all of them are. The refs
    of models stay as they are: the registry judges them."""
    return cast(T, _cleaned(value))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value, printable)
    if isinstance(value, Mapping):
        return _same_or(value, {_cleaned(name): _cleaned(item) for name, item in value.items()})
    if type(value) in (list, tuple):
        return _same_or(value, type(value)(_cleaned(item) for item in value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed, exact = {}, _EXACT.get(type(value), frozenset())
        for field in dataclasses.fields(value):
            before = getattr(value, field.name)
            after = _of_field(before, field.name, exact)
            if field.init and (after != before or type(after) is not type(before)):
                changed[field.name] = after
        return dataclasses.replace(value, **changed) if changed else value
    return value


def _of_field(before: Any, name: str, exact: Container[str]) -> Any:
    if name in exact:
        return str.__str__(before) if isinstance(before, str) else before
    if isinstance(before, str) and name not in _LINES:
        return _text(before, one_line)
    return _cleaned(before)


def _text(value: str, show: Callable[[str], str]) -> str:
    return value if isinstance(value, Enum) else show(masked(str.__str__(value)))


def _same_or(before: Any, after: Any) -> Any:
    return before if after == before else after
