"""Prompts and inputs: one or several, each a text or, where a provider takes them, its tokens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Literal

from venom_core.sdk.errors import UnsupportedParameter
from venom_core.sdk.frames import Frame
from venom_core.sdk.joined_answers import Ask, joined
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.spec import ProviderSpec

Text = str | tuple[int, ...]


def texts(value: str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]]) -> tuple[Text, ...]:
    """Return a validated ``prompt`` or ``input`` as the texts that are in it."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value[0], int):
        value = (value,)  # type: ignore[assignment]
    return tuple(text if isinstance(text, str) else tuple(text) for text in value)  # type: ignore[arg-type]


def check_tokens(
    found: Sequence[Text], field: Literal["prompt", "input"], spec: ProviderSpec, model: str
) -> None:
    """Raise ``UnsupportedParameter`` for tokens where the provider takes texts only.

    Their numbers mean other words in another vocabulary, and a client that makes them with
    OpenAI's gets vectors of nonsense from every other model.
    """
    if field in spec.tokens or all(isinstance(text, str) for text in found):
        return
    raise UnsupportedParameter(
        f"{model} takes texts, and no numbers of tokens: they are of another vocabulary.",
        param=field,
        fix="Send the texts themselves; in LangChain:"
        " OpenAIEmbeddings(check_embedding_ctx_length=False)."
        if field == "input"
        else "Send the texts themselves.",
    )


def completions(
    complete: Ask, request: ChatRequest, prompts: Sequence[Text]
) -> AsyncGenerator[Frame, None]:
    """Complete each prompt; the answer to several is one, with the choices of the first first."""
    if len(prompts) == 1:
        return complete(_of(request, prompts[0]))
    choices = int(request.body.get("n") or 1)
    return joined(complete, [_of(request, prompt) for prompt in prompts], choices)


def _of(request: ChatRequest, prompt: Text) -> ChatRequest:
    sent = prompt if isinstance(prompt, str) else list(prompt)
    return replace(request, body={**request.body, "prompt": sent})
