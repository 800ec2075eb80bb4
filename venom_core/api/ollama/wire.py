"""Answers on Ollama's paths as its documentation has them. Durations are in nanoseconds."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict


class OllamaVersion(TypedDict):
    """``version`` is of the API that is spoken, which clients compare; ``venom`` is ours."""

    version: str
    venom: str


class OllamaDetails(TypedDict):
    """Details of a model; those that are not known are empty, as there."""

    parent_model: str
    format: str
    family: str
    families: list[str]
    parameter_size: str
    quantization_level: str
    context_length: NotRequired[int]


class OllamaModel(TypedDict):
    """An installed model; ``runs_at`` is ours, where prompts leave this machine."""

    name: str
    model: str
    modified_at: str
    size: int
    digest: str
    details: OllamaDetails
    capabilities: list[str]
    runs_at: NotRequired[str]


class OllamaTags(TypedDict):
    models: list[OllamaModel]


class OllamaLoaded(TypedDict):
    """A model in memory."""

    name: str
    model: str
    size: int
    digest: str
    details: OllamaDetails
    expires_at: str
    size_vram: int
    context_length: NotRequired[int]


class OllamaLoadedList(TypedDict):
    models: list[OllamaLoaded]


class OllamaShown(TypedDict):
    """``model_info`` has the keys of a GGUF file's head that Venom knows."""

    license: str
    modelfile: str
    parameters: str
    template: str
    details: OllamaDetails
    model_info: dict[str, Any]
    capabilities: list[str]
    modified_at: str


class OllamaMessage(TypedDict):
    """``tool_calls`` have arguments as objects."""

    role: str
    content: str
    thinking: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, Any]]]


class OllamaLine(TypedDict):
    """A line of an answer, or all of it; chat has ``message``, generate ``response``."""

    model: str
    created_at: str
    done: bool
    message: NotRequired[OllamaMessage]
    response: NotRequired[str]
    thinking: NotRequired[str]
    logprobs: NotRequired[list[Any]]
    done_reason: NotRequired[str]
    total_duration: NotRequired[int]
    load_duration: NotRequired[int]
    prompt_eval_count: NotRequired[int]
    prompt_eval_duration: NotRequired[int]
    eval_count: NotRequired[int]
    eval_duration: NotRequired[int]


class OllamaEmbeddings(TypedDict):
    model: str
    embeddings: list[list[float]]
    total_duration: int
    load_duration: int
    prompt_eval_count: int


class OllamaEmbedding(TypedDict):
    embedding: list[float]


class OllamaProgress(TypedDict):
    """A line of a pull; counts are in bytes."""

    status: str
    digest: NotRequired[str]
    total: NotRequired[int]
    completed: NotRequired[int]
