"""Holds real answers against what their routes declare; a declaration that lies is red.

``check_answers`` wraps the application for the time of a test: whatever any client gets from it is
looked at, JSON and server-sent events alike, strictly and without a key that is not declared.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError
from starlette.types import Message, Receive, Scope, Send

from venom_core.api.app import VenomApp
from venom_core.api.errors import OpenAIError, is_anthropic, refusal_shape
from venom_core.api.openapi.declared import ANSWERS, Answer
from venom_core.api.openapi.examples import Example

_STRICT = ConfigDict(strict=True, extra="forbid")


@functools.cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    # In a list, since a TypedDict takes no configuration from outside, and what is below it does.
    return TypeAdapter(list[shape], config=_STRICT)


@contextlib.contextmanager
def check_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Check every answer until the end, then fail with what was wrong. Yields the operations that
    were checked."""
    wrong: list[str] = []
    checked: set[str] = set()
    call = VenomApp.__call__

    async def watched(self: VenomApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await call(self, scope, receive, send)
            return
        seen = _Seen(send)
        await call(self, scope, receive, seen)
        name = _operation(scope)
        if name is None:
            return
        try:
            refusal = refusal_shape(scope["path"], is_anthropic(scope))
            faults = list(seen.faults(ANSWERS[name], refusal))
        except Exception as error:  # nobody sees what an application raises after its answer
            faults = [repr(error)]
        wrong.extend(f"{scope['method']} {scope['path']} ({name}): {one}" for one in faults)
        checked.add(name)

    monkeypatch.setattr(VenomApp, "__call__", watched)
    yield checked
    assert not wrong, "\n".join(wrong)


def _operation(scope: Scope) -> str | None:
    """Return the operation that answered; None where no route did."""
    endpoint, route = scope.get("endpoint"), scope.get("route")
    for name in (getattr(route, "name", None), getattr(endpoint, "__name__", None)):
        if name in ANSWERS:
            return str(name)
    return None


class _Seen:
    """An answer on its way to the client."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._kind = ""
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = {name.lower(): value for name, value in message["headers"]}
            self._kind = headers.get(b"content-type", b"").decode().partition(";")[0]
        else:
            self._body += message.get("body", b"")
        await self._send(message)

    def faults(self, answer: Answer, refusal: type) -> Iterator[str]:
        """Yield a sentence for each thing that is not as it is declared."""
        if self._status not in answer.statuses:
            if self._status >= 400 and self._kind == "application/json":
                yield from faults_of(refusal, json.loads(self._body))
        elif self._kind == "application/json":
            yield from faults_of(answer.json, json.loads(self._body))
        elif self._kind == "text/event-stream":
            for name, data in _events(self._body.decode()):
                if name == "" and "error" in data:
                    yield from faults_of(OpenAIError, data)  # so are unnamed events everywhere
                elif name not in answer.events:
                    yield f"there is no event {name!r}"
                else:
                    yield from faults_of(answer.events[name], data)
        elif self._body and self._kind != answer.text:
            yield f"is {self._kind}"


def _events(text: str) -> Iterator[tuple[str, Any]]:
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line[1:])
        if "data" in fields and fields["data"] != "[DONE]":
            with contextlib.suppress(ValueError):  # cut where the client left
                yield fields.get("event", ""), json.loads(fields["data"])


def faults_of(shape: Any, value: Any) -> Iterator[str]:
    """Yield a sentence for each thing in a JSON value that is not as its shape declares it."""
    if shape is None:
        yield "declares no JSON"
        return
    try:
        _adapter(shape).validate_python([value])
    except ValidationError as error:
        for one in error.errors(include_url=False)[:5]:
            place = ".".join(map(str, one["loc"][1:]))
            yield f"{shape.__name__} {place}: {one['msg']} ({one['input']!r:.80})"


def undeclared(operation: str, example: Example) -> list[str]:
    """List what of an example is not as its route declares it."""
    answer, shown = ANSWERS[operation], example["answer"]
    if example["status"] not in answer.statuses:
        return [f"{operation}: it declares no {example['status']}"]
    if example["type"] == "application/json":
        return [f"{operation}: {fault}" for fault in faults_of(answer.json, shown)]
    if example["type"] != "text/event-stream":
        return [] if example["type"] == answer.text else [f"{operation}: it is {example['type']}"]
    found = [] if "data: " in shown else [f"{operation}: it has no event"]
    for name, data in _events(shown):
        shape = answer.events.get(name)
        found += [f"{operation}: {name!r}: {fault}" for fault in faults_of(shape, data)]
    return found
