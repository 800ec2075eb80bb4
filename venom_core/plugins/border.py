"""The look at what a provider returns, where it comes in.

One value is as declared or the call is refused; of several, a wrong one is left out and the others
stay. Texts are made fit to be shown and numbers that cannot be count as not given. Whatever was
wrong stands in the provider's record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from venom_core.plugins.breaches import BreachError, undeclared
from venom_core.plugins.faults import Faults
from venom_core.sdk import law
from venom_core.sdk.bounded_json import MOST_ROWS
from venom_core.sdk.catalogue import CatalogueEntry, RepositoryCard, RepositoryFile, SearchPage
from venom_core.sdk.cleaning import cleaned
from venom_core.sdk.declared import plain_copy, wrong_field
from venom_core.sdk.masking import masked
from venom_core.sdk.messages import Embeddings, Reranked
from venom_core.sdk.numbers import say
from venom_core.sdk.plausible import plausible, plausible_embeddings, plausible_scores
from venom_core.sdk.printable import one_line
from venom_core.sdk.provider import LoadedModel, Model

T = TypeVar("T")
#: After so many rows everybody else has a turn.
FAIR_ROWS = 64
#: So many rows that are left out are named.
MOST_NAMED = 20
_LONGEST_NAME = 100
_TWICE = "It is listed already."
_UNREADABLE = "It cannot be read."
_NO_NUMBER = "It lacks a number, or has one that cannot be."


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of a provider's that is not handed on, and why. ``name`` is its own, with escapes, or
    its place in what the provider returned (``#3``)."""

    provider: str
    name: str
    message: str


class Rows(tuple[T, ...]):  # noqa: SLOT001 -- a tuple's own may have none
    """Rows as they are declared; ``left_out`` are those that were not."""

    left_out: Sequence[LeftOut] = ()


class Border:
    """The look at what the methods of one provider return. Each raises :class:`BreachError`."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def one(self, method: str, kind: type[T]) -> Callable[[object], Awaitable[T]]:
        """Return the check of a method that returns one value."""

        async def check(value: object) -> T:
            return self.item(method, kind, await self._nested(method, value))

        return check

    def each(self, method: str, kind: type[T]) -> Callable[[object], Awaitable[Sequence[T]]]:
        """Return the check of a method that returns a sequence."""
        return lambda value: self._rows(method, kind, value)

    def embeddings(self, count: int) -> Callable[[object], Awaitable[Embeddings]]:
        """Return the check of ``count`` vectors: one without some of its numbers is none."""

        async def check(value: object) -> Embeddings:
            if not isinstance(value, Embeddings):
                raise undeclared(value, "Embeddings")
            try:
                return await plausible_embeddings(value, count, self._faults.spec.name)
            except (TypeError, ValueError) as error:
                raise BreachError(law.POSSIBLE_NUMBERS, str(error)) from error

        return check

    def scores(self, count: int) -> Callable[[object], Awaitable[Reranked]]:
        """Return the check of ``count`` scores."""

        async def check(value: object) -> Reranked:
            if not isinstance(value, Reranked):
                raise undeclared(value, "Reranked")
            try:
                return plausible_scores(value, count, self._faults.spec.name)
            except (TypeError, ValueError) as error:
                raise BreachError(law.POSSIBLE_NUMBERS, str(error)) from error

        return check

    def item(self, method: str, kind: type[T], value: object) -> T:
        """Return one value as it may be handed on."""
        if not isinstance(value, kind):
            raise undeclared(value, kind.__name__)
        try:
            item = plain_copy(value, kind)
            if (wrong := wrong_field(item, kind)) is not None:
                raise BreachError(law.DECLARED_TYPES, wrong)
            good = self._possible(item)
            shown = cleaned(good)
            mended = good != item, shown != good
        except BreachError:
            raise
        except BaseException as error:  # of a property or a text of its own kind
            raise BreachError(law.DECLARED_TYPES, _UNREADABLE) from error
        for rule, is_broken in zip((law.POSSIBLE_NUMBERS, law.PRINTABLE_TEXT), mended, strict=True):
            if is_broken:
                self._faults.note(rule, method, _name_of(shown) or kind.__name__)
        return shown

    def _possible(self, item: T) -> T:
        try:
            return plausible(item, self._faults.spec.name)
        except (ValueError, RecursionError) as error:
            raise BreachError(law.POSSIBLE_NUMBERS, _NO_NUMBER) from error

    async def _rows(self, method: str, kind: type[T], value: object) -> Sequence[T]:
        """Return the rows that are as declared."""
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise undeclared(value, f"sequence of {kind.__name__}")
        if len(value) > MOST_ROWS:
            say(f"{self._faults.spec.name}.listing", len(value))
        rows: list[T] = []
        wrong: list[LeftOut] = []
        seen: set[str] = set()
        for place, row in enumerate(value[:MOST_ROWS]):
            if place % FAIR_ROWS == FAIR_ROWS - 1:
                await asyncio.sleep(0)  # there may be thousands
            try:
                good = self.item(method, kind, row)
                if isinstance(good, Model | LoadedModel):
                    if good.ref in seen:
                        raise BreachError(law.UNIQUE_NAMES, _TWICE)
                    seen.add(good.ref)
            except BreachError as error:
                name = _name_of(row) or f"#{place + 1}"
                self._faults.note(error.rule, method, f"{name}: {error.what}")
                if len(wrong) < MOST_NAMED:
                    wrong.append(LeftOut(self._faults.spec.name, name, error.what))
            else:
                rows.append(good)
        good_rows = Rows(rows)
        good_rows.left_out = tuple(wrong)
        return good_rows

    async def _nested(self, method: str, value: Any) -> Any:
        """Return a value with the rows in it looked at: one that is wrong hides no other."""
        if isinstance(value, SearchPage):
            entries = await self._rows(method, CatalogueEntry, value.entries)
            return replace(value, entries=entries)
        if isinstance(value, RepositoryCard):
            files = await self._rows(method, RepositoryFile, value.files)
            return replace(value, files=tuple(files))
        return value


def _name_of(row: object) -> str | None:
    """Return what a row is known by, fit to be shown; None where nothing tells."""
    try:
        name = getattr(row, "ref", None)
        if not isinstance(name, str) or not str.strip(name):
            return None
        return one_line(masked(str.__str__(name)))[:_LONGEST_NAME]
    except BaseException:  # of a property of its own kind
        return None
