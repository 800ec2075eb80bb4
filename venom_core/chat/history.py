"""The words of a conversation as a model is told them: its messages as an engine takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.store.sessions import Message

Details = Mapping[str, Any] | None


def _listed(details: Details, name: str) -> list[Mapping[str, Any]]:
    found = (details or {}).get(name)
    rows = found if isinstance(found, list) else ()
    return [one for one in rows if isinstance(one, Mapping)]


def _text(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name)
    return found if isinstance(found, str) else ""


def images_of(details: Details) -> list[tuple[str, str]]:
    """Return name and ``data:`` URL of each image that a question came with."""
    return [
        (str(one.get("name") or "image"), one["data"])
        for one in _listed(details, "images")
        if isinstance(one.get("data"), str)
    ]


def calls_of(details: Details) -> list[dict[str, str]]:
    """Return the calls of tools that an answer asks for: ``id``, ``name``, ``arguments``; one
    without an id is named by its place."""
    return [
        {
            "id": _text(one, "id") or f"call_{at}",
            "name": _text(one, "name"),
            "arguments": _text(one, "arguments"),
        }
        for at, one in enumerate(_listed(details, "tool_calls"))
    ]


def results_of(details: Details) -> list[dict[str, str]]:
    """Return what came of calls: ``id``, ``name``, ``content``."""
    return [
        {name: _text(one, name) for name in ("id", "name", "content")}
        for one in _listed(details, "tool_results")
    ]


def content_of(role: str, content: str, details: Details) -> str | list[dict[str, Any]]:
    """Return the content of a message as a model is told it: a question with its images."""
    images = images_of(details) if role == "user" else []
    if not images:
        return content
    parts = [{"type": "image_url", "image_url": {"url": data}} for _, data in images]
    return [{"type": "text", "text": content}, *parts]


def told(path: Sequence[Message]) -> list[dict[str, Any]]:
    """Return what a model is told of a path: an answer that failed without a word is left out, with
    its question, and calls of tools are told where their results follow, else no engine would go
    on from them."""
    sent: list[dict[str, Any]] = []
    for at, message in enumerate(path):
        role, content = message.role, message.content
        if role == "user" and at > 0 and _answers_calls(path[at - 1], message):
            sent += [
                {"role": "tool", "content": one["content"], "tool_call_id": one["id"]}
                for one in results_of(message.details)
            ]
        elif role == "assistant" and path[at + 1 :] and _answers_calls(message, path[at + 1]):
            calls = [_call(one) for one in calls_of(message.details)]
            sent.append({"role": role, "content": content, "tool_calls": calls})
        elif role == "assistant" and not content:
            _leave_out_question(sent)
        else:
            sent.append({"role": role, "content": content_of(role, content, message.details)})
    return sent


def _answers_calls(answer: Message, question: Message) -> bool:
    """Return whether the question has the results of exactly the calls of the answer."""
    calls = sorted(one["id"] for one in calls_of(answer.details))
    given = sorted(one["id"] for one in results_of(question.details))
    return bool(calls) and calls == given


def _call(one: Mapping[str, str]) -> dict[str, Any]:
    function = {"name": one["name"], "arguments": one["arguments"]}
    return {"id": one["id"], "type": "function", "function": function}


def _leave_out_question(sent: list[dict[str, Any]]) -> None:
    """Take back the question that is told last; results go with their calls."""
    if not sent or sent[-1]["role"] not in ("user", "tool"):
        return
    if sent.pop()["role"] == "user":
        return
    while sent[-1]["role"] == "tool":
        sent.pop()
    calling = sent.pop()
    if calling["content"]:
        sent.append({"role": "assistant", "content": calling["content"]})
    else:
        _leave_out_question(sent)
