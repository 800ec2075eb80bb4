"""The language of an answer: English, or Polish where ``Accept-Language`` asks for it.

Which values of an answer are words for people is known here; their Polish is in
``venom_core.language``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from venom_core.language.polish import Language, polish
from venom_core.sdk.frames import Choice, Frame, FrameKind

#: The keys under which the API sends words for people.
_ENDS = FrameKind.FINISH | FrameKind.ANSWER
_WORDS = frozenset(
    {
        *("message", "fix", "detail", "error", "title", "summary"),
        *("reason", "default_model_reason", "finish_note", "fit_message", "desc"),
        *("help", "description", "progress", "warnings"),
    }
)
_CODE = re.compile(r"[a-z0-9_]+", re.ASCII)
_RANGE = re.compile(
    r"\s*(\*|[A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*[qQ]=([01](?:\.\d{0,3})?)\s*)?", re.ASCII
)


def negotiated(header: str) -> Language:
    """Return the better of our languages for an ``Accept-Language`` header; English where it names
    none, cannot be read, or says that both are equally welcome."""
    weights: dict[str, float] = {}
    for part in header.split(","):
        if match := _RANGE.fullmatch(part):
            name, weight = match[1].lower(), float(match[2] or 1)
            weights[name] = max(weight, weights.get(name, 0.0))
    rest = weights.get("*", 0.0)
    return "pl" if weights.get("pl", rest) > weights.get("en", rest) else "en"


def language_of(scope: Scope) -> Language:
    return negotiated(",".join(Headers(scope=scope).getlist("accept-language")))


def language_headers(language: Language) -> dict[str, str]:
    """Return headers for every answer that has words in it."""
    return {"Content-Language": language, "Vary": "Accept-Language"}


def localized(request: Request, payload: Mapping[str, Any], status: int = 200) -> Response:
    """Return a JSON answer whose words are in the client's language."""
    language = language_of(request.scope)
    return JSONResponse(in_language(payload, language), status, language_headers(language))


def in_language(payload: Any, language: Language) -> Any:
    """Return JSON values with the words for people put into a language; the given value stays as it
    is."""
    return payload if language == "en" else _polish_values(payload)


def frame_in_language(frame: Frame, scope: Scope) -> Frame:
    """Return a frame whose words for people, why an answer ended, are in the client's language."""
    if frame.kind is FrameKind.DELTA or not frame.kind & _ENDS:
        return frame
    event = frame.event
    if not any(choice.finish_note for choice in event.choices) or language_of(scope) == "en":
        return frame
    return Frame.of(replace(event, choices=tuple(map(_polish_choice, event.choices))))


def _polish_choice(choice: Choice) -> Choice:
    note = choice.finish_note
    return choice if note is None else replace(choice, finish_note=polish(note))


def _polish_note(note: str) -> str:
    """Return what a self-test saw in Polish; where that was a refusal, its code stands first."""
    code, mark, sentence = note.partition(": ")
    if mark and _CODE.fullmatch(code):
        return f"{code}: {polish(sentence)}"
    return polish(note)


def _polish_values(value: Any, key: str = "") -> Any:
    if isinstance(value, str):
        if key == "docs":
            return value.replace("/docs/", "/docs/pl/", 1)
        if key == "note":
            return _polish_note(value)
        return polish(value) if key in _WORDS else value
    if isinstance(value, Mapping):
        return {name: _polish_values(item, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_polish_values(item, key) for item in value]
    return value
