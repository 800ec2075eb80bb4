"""From the objects of Ollama's stream to frames."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import Answer, Choice, Chunk, FinishReason, Frame, ToolCall, Usage, Wire
from venom_core.sdk.numbers import tokens
from venom_ollama.lines import incomplete, not_ollama
from venom_ollama.refusals import refusal
from venom_ollama.window import Window

#: Ollama breaks an answer off after more equal tokens than this, without a last line.
REPEATS = 30


class Translator:
    """Takes the objects of one answer in order, gives frames by the law of ``Provider.chat``.

    Works on a stream and on the single object of ``stream: false`` alike. Raises what an error
    line says (:mod:`venom_ollama.refusals`) and UpstreamError for objects of a wrong shape.
    ``window`` is the context that prompt and answer share, where it is known.
    """

    window: Window | None = None

    def __init__(self, model: str, *, stream: bool, wire: Wire = "chat") -> None:
        self._model = model
        self._stream = stream
        self._wire: Wire = wire
        self._started = False
        self._done = False
        self._repeated = ("", 0)
        self._calls: list[ToolCall] = []
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._logprobs: list[Mapping[str, Any]] = []
        self._offset = 0

    def frames(self, line: Mapping[str, Any]) -> Iterator[Frame]:
        """Return the frames that one object brings."""
        if "error" in line:
            raise refusal(200, str(line["error"]), self._model)
        if self._done:
            return
        try:
            choice = self._choice(line)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise not_ollama() from error
        if choice is not None and self._stream:
            yield Frame.of(Chunk((choice,)))
        if line.get("done") is True:
            self._done = True
            usage = _usage(line)
            yield from self._last(*self._finish(line, usage), usage)

    def end(self) -> Iterator[Frame]:
        """Return the frames that are due when the upstream has properly ended: none after a last
        line. Without one, what was said stays an answer: Ollama ends so where a model repeats
        itself. Raises UpstreamIncomplete where nothing was said."""
        if self._done:
            return
        if not self._started:
            raise incomplete()
        self._done = True
        text, count = self._repeated
        why = "Ollama ended the answer without saying why."
        if count > REPEATS:
            why = f"Ollama broke the answer off: the model repeated {text[:20]!r}."
        yield from self._last("length", why, None)

    def _choice(self, line: Mapping[str, Any]) -> Choice | None:
        """Return what the line adds, remembered, or None where it adds nothing."""
        if self._wire == "completion":
            content, message = line.get("response"), line
        else:
            message = line.get("message") or {}
            content = message.get("content")
        reasoning = message.get("thinking")
        calls = tuple(
            self._call(call, len(self._calls) + position)
            for position, call in enumerate(message.get("tool_calls") or ())
        )
        found = line.get("logprobs") or []
        if not (content or reasoning or calls or found):
            return None
        if not isinstance(content or "", str) or not isinstance(reasoning or "", str):
            raise TypeError("a text is no text")
        self._note_repeats((content or reasoning or "").strip())
        self._calls.extend(calls)
        logprobs = self._logprobs_of(found)
        if not self._stream:
            self._content.append(content or "")
            self._reasoning.append(reasoning or "")
            self._logprobs.extend(found)
        return Choice(
            role=self._role(),
            content=content or None,
            reasoning=reasoning or None,
            tool_calls=calls,
            logprobs=logprobs,
        )

    def _note_repeats(self, token: str) -> None:
        last, count = self._repeated
        self._repeated = (token, count + 1 if token == last else 1)

    def _role(self) -> str | None:
        """Return the role, once."""
        first, self._started = not self._started, True
        return "assistant" if first else None

    def _call(self, call: Mapping[str, Any], index: int) -> ToolCall:
        """Return a tool call, always whole in Ollama. Older versions send neither an index nor an
        id, so we count ourselves and make an id where there is none."""
        function = call["function"]
        return ToolCall(
            index=index,
            id=call.get("id") or f"call_{secrets.token_hex(6)}",
            name=str(function["name"]),
            arguments=json.dumps(function.get("arguments") or {}, ensure_ascii=False),
        )

    def _logprobs_of(self, found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        if not found:
            return None
        if self._wire == "chat":
            return {"content": list(found)}
        offset = self._offset
        self._offset += sum(len(item["token"]) for item in found)
        return completion_logprobs(found, offset)

    def _last(self, reason: FinishReason, note: str | None, usage: Usage | None) -> Iterator[Frame]:
        if self._stream:
            if not self._started:
                yield Frame.of(Chunk((Choice(role=self._role(), content=""),)))
            yield Frame.of(Chunk((Choice(finish_reason=reason, finish_note=note),)))
            if usage is not None:
                yield Frame.of(Chunk(usage=usage))
            return
        found, self._logprobs, self._offset = self._logprobs, [], 0
        choice = Choice(
            role="assistant",
            content="".join(self._content) or (None if self._calls else ""),
            reasoning="".join(self._reasoning) or None,
            tool_calls=tuple(self._calls),
            finish_reason=reason,
            logprobs=self._logprobs_of(found),
            finish_note=note,
        )
        yield Frame.of(Answer((choice,), usage))

    def _finish(
        self, line: Mapping[str, Any], usage: Usage | None
    ) -> tuple[FinishReason, str | None]:
        """Return OpenAI's finish reason, and a sentence where the context is the reason."""
        reason, window = self._finish_reason(line), self.window
        if window is None or usage is None:
            return reason, None
        prompt, answer = usage.prompt_tokens, usage.completion_tokens
        if window.outgrown(prompt, answer):
            return "length", window.note(prompt, answer)
        return reason, window.note(prompt, answer) if reason == "length" else None

    def _finish_reason(self, line: Mapping[str, Any]) -> FinishReason:
        """Return OpenAI's finish reason. Raises UpstreamError for ``load`` and ``unload``, where
        nothing was generated though something was asked."""
        reason = line.get("done_reason") or "stop"
        if reason in ("load", "unload"):
            raise UpstreamError(
                f"Ollama only {reason}ed {self._model} and answered nothing.", fix="Try again."
            )
        if reason == "length":
            return "length"
        return "tool_calls" if self._calls else "stop"


def completion_logprobs(found: Sequence[Mapping[str, Any]], offset: int) -> dict[str, Any]:
    """Return Ollama's list of tokens in the older shape of OpenAI's completions; ``offset`` is the
    length of the text before it, in characters."""
    offsets = []
    for item in found:
        offsets.append(offset)
        offset += len(item["token"])
    return {
        "tokens": [item["token"] for item in found],
        "token_logprobs": [item["logprob"] for item in found],
        "top_logprobs": [
            {top["token"]: top["logprob"] for top in item.get("top_logprobs") or ()}
            for item in found
        ],
        "text_offset": offsets,
    }


def _usage(line: Mapping[str, Any]) -> Usage | None:
    """Return the token counts; Ollama leaves out what is zero. None where one cannot be."""
    prompt, answer = (
        tokens(line.get(name, 0), f"ollama.{name}") for name in ("prompt_eval_count", "eval_count")
    )
    return None if prompt is None or answer is None else Usage(prompt, answer)
