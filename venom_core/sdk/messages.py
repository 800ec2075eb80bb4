"""The shapes of a request on its way to a provider.

The body is the OpenAI body itself. These TypedDicts are both its description and its validation:
the API checks each request against them, then applies the parameter policy and the model's
generation defaults. There is no second message model.
Source: the OpenAI API reference for chat completions, completions and embeddings; ``top_k``,
``min_p``, ``repeat_penalty`` and ``grammar`` are what local engines add to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Le, MaxLen, MinLen

# pydantic reads the TypedDict of typing itself only from Python 3.12 on.
from typing_extensions import TypedDict

#: Who says a message.
Role = Literal["system", "developer", "user", "assistant", "tool"]

#: What one request may hold: more than any client sends, and little enough to be looked at.
MOST_MESSAGES = 10_000
MOST_PARTS = 1024
MOST_TOOLS = 1024
MOST_STOPS = 64
#: Texts of an embeddings request, as OpenAI has it.
MOST_INPUTS = 2048
MOST_PROMPTS = 128
#: Texts that one request ranks.
MOST_DOCUMENTS = 2048
LONGEST_NAME = 512
LONGEST_GRAMMAR = 65_536

Name = Annotated[str, MaxLen(LONGEST_NAME)]
#: A text as numbers of the vocabulary of the model that it is for.
Tokens = Annotated[list[Annotated[int, Ge(0), Le(2**31 - 1)]], MinLen(1)]


class FunctionCall(TypedDict):
    """``arguments`` is JSON text, never an object."""

    name: Name
    arguments: str


class ToolCallBody(TypedDict):
    """A call that an assistant's turn asks for."""

    id: str
    type: Literal["function"]
    function: FunctionCall


class TextPart(TypedDict):
    """A piece of a message's text."""

    type: Literal["text"]
    text: str


class ImageUrl(TypedDict):
    """``url`` is a ``data:`` URL; addresses are never fetched."""

    url: str
    detail: NotRequired[str]


class ImagePart(TypedDict):
    """An image in a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


class MessageBody(TypedDict):
    """One turn. ``content`` may be null on an assistant turn that only calls tools."""

    role: Role
    content: NotRequired[str | Annotated[list[TextPart | ImagePart], MaxLen(MOST_PARTS)] | None]
    name: NotRequired[Name]
    tool_calls: NotRequired[Annotated[list[ToolCallBody], MaxLen(MOST_PARTS)] | None]
    tool_call_id: NotRequired[Name]
    reasoning_content: NotRequired[str | None]
    #: What Ollama and OpenRouter call ``reasoning_content``.
    reasoning: NotRequired[str | None]


class StreamOptions(TypedDict, total=False):
    """``include_usage``: the client wants the counts at the end. Providers always tell them."""

    include_usage: bool | None


class SamplingBody(TypedDict, total=False):
    """Parameters that chat and completion share; null means "not set". Counts are in tokens; -1
    is no bound of the answer's, and providers never see it. ``grammar`` is GBNF, which holds the
    answer to it."""

    model: Name | None
    stream: bool | None
    stream_options: StreamOptions | None
    temperature: Annotated[float, Ge(0), Le(2)] | None
    top_p: Annotated[float, Ge(0), Le(1)] | None
    top_k: Annotated[int, Ge(0), Le(100_000)] | None
    min_p: Annotated[float, Ge(0), Le(1)] | None
    repeat_penalty: Annotated[float, Ge(0), Le(10)] | None
    presence_penalty: Annotated[float, Ge(-2), Le(2)] | None
    frequency_penalty: Annotated[float, Ge(-2), Le(2)] | None
    max_tokens: Annotated[int, Ge(1), Le(10_000_000)] | Literal[-1] | None
    stop: str | Annotated[list[str], MaxLen(MOST_STOPS)] | None
    seed: Annotated[int, Ge(-(2**63)), Le(2**63 - 1)] | None
    n: Annotated[int, Ge(1), Le(128)] | None
    logit_bias: dict[str, Annotated[float, Ge(-100), Le(100)]] | None
    grammar: Annotated[str, MaxLen(LONGEST_GRAMMAR)] | None


class ChatBody(SamplingBody, total=False):
    """The body of a chat request.

    Providers never see ``max_completion_tokens``: it arrives as ``max_tokens``.
    """

    messages: Annotated[list[MessageBody], MinLen(1), MaxLen(MOST_MESSAGES)]
    max_completion_tokens: Annotated[int, Ge(1), Le(10_000_000)] | Literal[-1] | None
    logprobs: bool | None
    top_logprobs: Annotated[int, Ge(0), Le(20)] | None
    response_format: dict[str, Any] | None
    tools: Annotated[list[dict[str, Any]], MaxLen(MOST_TOOLS)] | None
    tool_choice: str | dict[str, Any] | None
    parallel_tool_calls: bool | None
    reasoning_effort: str | None


class CompletionBody(SamplingBody, total=False):
    """The body of a text completion; providers get ``prompt`` as one text, as tokens only where
    they declare it."""

    prompt: (
        str
        | Annotated[list[str], MinLen(1), MaxLen(MOST_PROMPTS)]
        | Tokens
        | Annotated[list[Tokens], MinLen(1), MaxLen(MOST_PROMPTS)]
    )
    suffix: str | None
    echo: bool | None
    best_of: Annotated[int, Ge(1), Le(128)] | None
    logprobs: Annotated[int, Ge(0), Le(5)] | None


class EmbeddingBody(TypedDict, total=False):
    """The body of an embeddings request."""

    model: Name | None
    input: (
        str
        | Annotated[list[str], MinLen(1), MaxLen(MOST_INPUTS)]
        | Tokens
        | Annotated[list[Tokens], MinLen(1), MaxLen(MOST_INPUTS)]
    )
    encoding_format: Literal["float", "base64"] | None
    dimensions: Annotated[int, Ge(1), Le(100_000)] | None
    user: str | None


class DocumentBody(TypedDict):
    """A text to rank, as an object."""

    text: str


class RerankBody(TypedDict, total=False):
    """The body of a rerank request, as Jina, Cohere (version 1), vLLM and llama.cpp's server have
    it. ``top_n`` is how many results are wanted; all where it is not said or more than there are.
    """

    model: Name | None
    query: Annotated[str, MinLen(1)]
    documents: Annotated[list[str | DocumentBody], MinLen(1), MaxLen(MOST_DOCUMENTS)]
    top_n: Annotated[int, Ge(1), Le(2**31 - 1)] | None
    return_documents: bool | None


@dataclass(slots=True)
class Sent:
    """Filled in by a provider for whoever asks how an answer came about (``--explain``).

    Args:
        body: as the upstream got it, in its own words; None where it got the request's. Set before
            the first frame.
        emulated: names of parameters that the upstream does not honour itself and the provider
            brings about by other means. Set before the first frame.
    """

    body: Mapping[str, Any] | None = None
    emulated: tuple[str, ...] = ()

    def emulate(self, name: str) -> None:
        """Note a parameter as emulated."""
        if name not in self.emulated:
            self.emulated = (*self.emulated, name)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request to a provider.

    Args:
        model: the provider's own reference, never ``provider://``.
        body: a :class:`ChatBody` for ``Provider.chat``, a :class:`CompletionBody` for
            ``Provider.complete``; parameters that the provider does not declare are not in it.
        stream: whether frames are wanted as they come, or one ANSWER.
        request_id: goes into the upstream's logs where it has a header for it.
        timeout: seconds that the upstream may be silent before its first byte. Between frames the
            core keeps a shorter watch of its own.
        sent: for a provider that sends another body than this one to say so.
        native_tools: the engine is known to read this model's own calls of tools, so a choice that
            is the model's (``auto``) needs no emulation.
    """

    model: str
    body: Mapping[str, Any]
    stream: bool
    request_id: str
    timeout: float = 600.0
    sent: Sent = field(default_factory=Sent, compare=False)
    native_tools: bool = False


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """``inputs`` are texts; ``dimensions`` only where the provider declares the parameter.

    Where it declares that it takes tokens (``ProviderSpec.tokens``), ``tokens`` may hold those of
    each text in the place of ``inputs``.
    """

    model: str
    inputs: tuple[str, ...]
    request_id: str
    dimensions: int | None = None
    timeout: float = 600.0
    tokens: tuple[tuple[int, ...], ...] = ()

    @property
    def wanted(self) -> int:
        """Return how many vectors the answer has."""
        return len(self.tokens or self.inputs)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector for each input, in its order; ``prompt_tokens`` is the total over all inputs."""

    vectors: tuple[tuple[float, ...], ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """``documents`` are the texts whose relevance to ``query`` is asked for."""

    model: str
    query: str
    documents: tuple[str, ...]
    request_id: str
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Reranked:
    """One score for each document, in their order; a higher one is more relevant, and only those of
    one model can be compared. ``prompt_tokens`` is the total over all pairs."""

    scores: tuple[float, ...]
    prompt_tokens: int
