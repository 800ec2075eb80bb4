"""The context of a model as the window that a prompt and its answer share.

Up to 0.24 a request says ``shift: false``, and an answer that fills the context ends there. From
0.30 on that is an argument with which Ollama starts its engine: whoever sends it loads the model
anew after everybody who does not. There an answer is kept inside the context by its length, so that
nothing of the prompt is thrown out to go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What a template may add by itself, beyond what the JSON around each message makes up for.
TEMPLATE_TOKENS = 256
# What was asked for without a limit gets at least half of the context without being measured.
_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Window:
    """The tokens that prompt and answer have together, and what was made of it.

    Args:
        context: of the loaded model.
        limit: the longest answer that was allowed for the context's sake; None where the request's
            own limit keeps it inside.
        measured: whether the prompt was counted by Ollama, not only bounded by its bytes.
    """

    context: int
    limit: int | None = None
    measured: bool = False

    def outgrown(self, prompt: int, answer: int) -> bool:
        """Return whether something of the prompt was thrown out to go on."""
        return prompt + answer > self.context

    def note(self, prompt: int, answer: int) -> str | None:
        """Return why the answer ends, where the context is the reason."""
        if self.outgrown(prompt, answer):
            return (
                f"The context of {self.context} tokens ran full, and Ollama went on without the "
                "beginning."
            )
        if self.limit is None or answer < self.limit:
            return None
        if self.measured:
            return f"The context of {self.context} tokens is full."
        return (
            f"The answer ends at {self.limit} tokens, which fit the context of {self.context} for "
            "certain; with max_tokens it may be longer."
        )


def fitted(wanted: int | None, most: int | None, context: int) -> Window | None:
    """Return the window for a prompt of at most ``most`` tokens; None where the prompt must be
    measured first.

    Args:
        wanted: the longest answer that the request, or else the model, asks for.
        most: see :func:`most_tokens`.
    """
    certain = 0 if most is None else context - most
    if wanted is not None and wanted <= certain:
        return Window(context)
    unlimited = wanted is None or wanted >= context
    return Window(context, certain) if unlimited and certain * _ENOUGH >= context else None


def measured(wanted: int | None, prompt: int, context: int) -> Window:
    """Return the window for a prompt that Ollama counted."""
    room = context - prompt
    if wanted is not None and wanted <= room:
        return Window(context, measured=True)
    return Window(context, room, measured=True)


def most_tokens(body: Mapping[str, Any], system: str) -> int | None:
    """Return what a prompt cannot exceed in tokens: no token is shorter than a byte. None where
    images make tokens of their own.

    Args:
        body: of ``/api/chat`` or ``/api/generate``.
        system: the system prompt that the model brings, used where the request has none.
    """
    messages = body.get("messages") or ()
    if any(message.get("images") for message in messages):
        return None
    told = [messages, body.get("prompt"), body.get("suffix"), body.get("format"), system]
    # A template may write the tools with blanks and line breaks.
    return sum(map(_bytes, told)) + 2 * _bytes(body.get("tools")) + TEMPLATE_TOKENS


def _bytes(value: Any) -> int:
    text = json.dumps(value, ensure_ascii=False) if value else ""
    return len(text.encode("utf-8", "replace"))
