"""Answers of an engine as objects of the OpenAI wire: chunks, whole answers, logprobs, errors."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from venom_core.sdk.errors import VenomError, with_fix
from venom_core.sdk.printable import whole_characters
from venom_core.sdk.served_engine import Token
from venom_core.sdk.text_pieces import StopStrings

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def line(body: Any) -> bytes:
    """Return one line of JSON."""
    text = _ENCODER.encode(body)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return whole_characters(text).encode()


def error_body(error: VenomError, **numbers: int) -> dict[str, Any]:
    """Return a refusal in OpenAI's shape, with our code and what else clients of ours read."""
    told = {
        "message": with_fix(error.message, error.fix),
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    return {"error": told | numbers}


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of one choice that may be told now: text, the logprobs of its tokens, the reason
    of its end."""

    index: int
    text: str = ""
    logprobs: tuple[dict[str, Any], ...] = ()
    finish: str | None = None


@dataclass(slots=True)
class ChoiceText:
    """One choice as it grows: text up to a stop string, and the logprobs that belong to it."""

    index: int
    stops: Sequence[str]
    tells_logprobs: bool
    _text: StopStrings = field(init=False)
    _given: int = 0
    _waiting: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._text = StopStrings(self.stops)

    @property
    def stopped(self) -> bool:
        return self._text.stopped

    def add(self, token: Token) -> Piece:
        """Return what may be told once this token is there."""
        if self.tells_logprobs:
            self._waiting.append((self._text.received, logprob_of(token)))
        return self._piece(self._text.add(token.text))

    def end(self, reason: str) -> Piece:
        """Return the last piece."""
        text = "" if self.stopped else self._text.end()
        return self._piece(text, reason, last=True)

    def _piece(self, text: str, finish: str | None = None, *, last: bool = False) -> Piece:
        self._given += len(text)
        ready = [] if not self.tells_logprobs else [
            record for begin, record in self._waiting
            if begin < self._given or (last and not self.stopped)
        ]  # fmt: skip
        self._waiting = self._waiting[len(ready) :]
        return Piece(self.index, text, tuple(ready), finish)


def logprob_of(token: Token) -> dict[str, Any]:
    """Return a token's probability as the chat wire has it."""
    return {
        **_entry(token.text, token.logprob if token.logprob is not None else -9999.0),
        "top_logprobs": [_entry(text, logprob) for text, logprob in token.top],
    }


def _entry(text: str | bytes, logprob: float) -> dict[str, Any]:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    shown = data.decode("utf-8", "replace")
    return {"token": shown, "logprob": max(logprob, -9999.0), "bytes": list(data)}


class Envelope:
    """The fields around everything that one request is answered with."""

    def __init__(self, model: str, wire: str) -> None:
        self._wire = wire
        prefix = "cmpl-" if wire == "completion" else "chatcmpl-"
        self._head = {"id": prefix + secrets.token_hex(12), "created": int(time.time())}
        self._model = model

    def chunks(self, piece: Piece, first: bool) -> Iterator[bytes]:
        """Yield the events of one piece: its text, and its end in one of its own."""
        if first or piece.text or piece.logprobs:
            yield self._chunk(Piece(piece.index, piece.text, piece.logprobs), first)
        if piece.finish is not None:
            yield self._chunk(Piece(piece.index, finish=piece.finish), False)

    def usage_chunk(self, usage: dict[str, int]) -> bytes:
        return line({**self._around("chunk"), "choices": [], "usage": usage})

    def whole(self, pieces: Sequence[Sequence[Piece]], usage: dict[str, int]) -> bytes:
        """Return an answer of one piece: for each choice all of its pieces."""
        choices = []
        for parts in pieces:
            index, text = parts[0].index, "".join(part.text for part in parts)
            records = [record for part in parts for record in part.logprobs]
            choice = self._choice(index, text, records, parts[-1].finish)
            if self._wire == "chat":
                choice = {"index": index, "message": {"role": "assistant", "content": text},
                          **{k: choice[k] for k in ("logprobs", "finish_reason")}}  # fmt: skip
            choices.append(choice)
        return line({**self._around("answer"), "choices": choices, "usage": usage})

    def _chunk(self, piece: Piece, first: bool) -> bytes:
        choice = self._choice(piece.index, piece.text, piece.logprobs, piece.finish)
        if self._wire == "chat":
            delta: dict[str, Any] = {"role": "assistant"} if first else {}
            if piece.text or first:
                delta["content"] = piece.text
            choice = {"index": piece.index, "delta": delta,
                      **{k: choice[k] for k in ("logprobs", "finish_reason")}}  # fmt: skip
            if not piece.logprobs:
                del choice["logprobs"]
        return line({**self._around("chunk"), "choices": [choice]})

    def _choice(
        self, index: int, text: str, records: Sequence[dict[str, Any]], finish: str | None
    ) -> dict[str, Any]:
        logprobs: Any = None
        if records and self._wire == "chat":
            logprobs = {"content": list(records)}
        elif records:
            logprobs = {
                "tokens": [record["token"] for record in records],
                "token_logprobs": [record["logprob"] for record in records],
                "top_logprobs": [
                    {entry["token"]: entry["logprob"] for entry in record["top_logprobs"]}
                    for record in records
                ],
            }
        return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish}

    def _around(self, kind: str) -> dict[str, Any]:
        if self._wire == "completion":
            name = "text_completion"
        else:
            name = "chat.completion.chunk" if kind == "chunk" else "chat.completion"
        return {**self._head, "object": name, "model": self._model}
