"""Declaring what a route answers, beside the route.

Nothing is built here: routes send what they have made themselves, and the types are read when the
document is asked for, so that a start pays for none of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from typing_extensions import TypedDict

F = TypeVar("F", bound=Callable[..., Any])
#: A TypedDict, as a type checker and pydantic read it.
Shape = Any


class NoData(TypedDict):
    """An event that has nothing beside its name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The shapes that one operation takes and gives.

    Args:
        json: the shape of a JSON answer; None where there is none.
        text: the media type of an answer that is text.
        events: server-sent events by name ("" for those without one) and the shape of their data.
        takes: the shape of the request's body, where the route is not FastAPI's own.
        statuses: those that the answer may have.
        doc: what the operation does, the docstring of the route's function.
    """

    json: Shape = None
    text: str | None = None
    events: Mapping[str, Shape] = field(default_factory=dict)
    takes: Shape = None
    statuses: tuple[int, ...] = (200,)
    doc: str = ""


#: Operation id -> what it answers. The id is the name of the route's function.
ANSWERS: dict[str, Answer] = {}


def answers(
    json: Shape = None,
    *,
    text: str | None = None,
    events: Mapping[str, Shape] | None = None,
    takes: Shape = None,
    statuses: tuple[int, ...] = (200,),
) -> Callable[[F], F]:
    """Declare what a route's function answers; see :class:`Answer`. Raises ``ValueError`` where
    another function has the same name: it is the operation's id."""

    def declare(endpoint: F) -> F:
        if endpoint.__name__ in ANSWERS:
            raise ValueError(f"two operations are called {endpoint.__name__}")
        doc = inspect.cleandoc(endpoint.__doc__ or "")
        ANSWERS[endpoint.__name__] = Answer(json, text, events or {}, takes, statuses, doc)
        return endpoint

    return declare
