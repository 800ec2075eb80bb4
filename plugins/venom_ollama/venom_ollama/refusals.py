"""Ollama's refusals as ours. It refuses by status and, mostly, by the words; both are recorded.

Source: answers of Ollama 0.24.0 and 0.32.15 (``venom_core.testing.ollama``), its source for the few
marked so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from shlex import quote
from typing import Any

from venom_core.sdk import numbers
from venom_core.sdk.errors import (
    ContextLengthExceeded,
    Forbidden,
    InvalidApiKey,
    InvalidRequest,
    ModelNotCapable,
    ModelNotFound,
    NoDiskSpace,
    PaymentRequired,
    QueueFull,
    RateLimited,
    StorageError,
    Unavailable,
    UnsupportedParameter,
    UpstreamError,
    VenomError,
)

BUSY_RETRY_SECONDS = 5.0
_QUOTED_CHARS = 200

#: Words of Ollama -> what to raise, tried in order; the match is passed on with the model's name.
_Maker = Callable[[str, re.Match[str]], VenomError]
_RULES: list[tuple[re.Pattern[str], _Maker]] = []


def _when(pattern: str) -> Callable[[_Maker], _Maker]:
    def add(maker: _Maker) -> _Maker:
        _RULES.append((re.compile(pattern, re.IGNORECASE), maker))
        return maker

    return add


def refusal(
    status: int,
    words: str,
    model: str,
    retry_after: str | None = None,
    told: Mapping[str, Any] | None = None,
) -> VenomError:
    """Return the refusal that an error answer of Ollama stands for.

    Args:
        status: of the answer; 200 for an error line inside a stream.
        words: its ``error`` text, empty where it had none.
        model: the reference that was asked for.
        retry_after: the answer's header of that name.
        told: the whole answer, in which a cloud says more.
    """
    told = told or {}
    if told.get("signin_url") or isinstance(told.get("StatusCode"), int):
        return of_cloud(status, words, model, retry_after, told.get("signin_url"))
    if status == 503:
        return QueueFull(
            "Ollama is busy: its queue of requests waiting for a model is full.",
            fix="Try again in a few seconds, or raise OLLAMA_MAX_QUEUE where Ollama runs.",
            retry_after=_seconds(retry_after),
        )
    status, words = _of_engine(status, words)
    for pattern, maker in _RULES:
        if match := pattern.search(words):
            return maker(model, match)
    if status == 404:
        return model_not_found(model)
    if status in (401, 403):
        return Unavailable(
            f"Ollama refuses this{provider_words(words)}",
            code="ollama_refused",
            fix="Check OLLAMA_HOST here, and OLLAMA_HOST and OLLAMA_ORIGINS where Ollama runs.",
        )
    if 400 <= status < 500:
        return InvalidRequest(f"Ollama refused the request{provider_words(words)}")
    return UpstreamError(
        f"Ollama failed{provider_words(words)}",
        fix="Try again; if it happens again, look at Ollama's log (ollama serve).",
    )


def _of_engine(status: int, words: str) -> tuple[int, str]:
    """Return status and text of the error of Ollama's engine, which from 0.30 on comes as JSON
    inside the text."""
    if not words.startswith("{"):
        return status, words
    try:
        error = json.loads(words)["error"]
        message, code = error["message"], error.get("code")
    except (ValueError, KeyError, TypeError, RecursionError):
        return status, words
    return code if type(code) is int else status, str(message)


def model_not_found(model: str) -> ModelNotFound:
    """Return the refusal for a model that is not installed."""
    return ModelNotFound(
        f"Ollama has no model {model!r}.", fix=f"venom pull {quote(model)}", param="model"
    )


def does_not_fit(prompt: int | None = None, context: int | None = None) -> ContextLengthExceeded:
    """Return the refusal for a prompt longer than the context, in tokens where they are known."""
    return ContextLengthExceeded.counted(
        prompt,
        context,
        fix="Shorten the conversation, or set OLLAMA_CONTEXT_LENGTH higher (it costs memory).",
    )


@_when(r"request \((\d{1,9}) tokens\) exceeds the available context size \((\d{1,9}) tokens\)")
def _counted(model: str, match: re.Match[str]) -> VenomError:
    return does_not_fit(int(match[1]), int(match[2]))


@_when(r"input content cannot be empty")
def _empty(model: str, match: re.Match[str]) -> VenomError:
    return InvalidRequest("An empty text has no embedding.", param="input")


@_when(r"exceeds .*context (length|size|window)|prompt is too long")
def _context(model: str, match: re.Match[str]) -> VenomError:
    return does_not_fit()


@_when(r"does not support (tools|thinking|insert)")
def _parameter(model: str, match: re.Match[str]) -> VenomError:
    param = {"tools": "tools", "thinking": "reasoning_effort", "insert": "suffix"}[match[1].lower()]
    return UnsupportedParameter(
        f"The model {model} does not support {match[1]}.",
        fix=f"Leave out {param}, or choose a model that can; venom show NAME lists capabilities.",
        param=param,
    )


@_when(r"does not support (chat|generate|completion)")
def _no_chat(model: str, match: re.Match[str]) -> VenomError:
    return ModelNotCapable(
        f"The model {model} cannot answer: it is for embeddings, or its files are damaged.",
        fix=f"Choose a chat model, or fetch this one again: venom pull {quote(model)}",
        param="model",
    )


@_when(r"does not support embeddings")
def _no_embeddings(model: str, match: re.Match[str]) -> VenomError:
    return ModelNotCapable(
        f"The model {model} makes no embeddings.",
        fix="Choose an embedding model, for example: venom pull embeddinggemma",
        param="model",
    )


@_when(r"missing data required for image input|image input is not supported|"
       r"does not support (images|vision|multimodal)")  # fmt: skip
def _no_images(model: str, match: re.Match[str]) -> VenomError:
    return ModelNotCapable(
        f"The model {model} reads no images.",
        fix="Leave out the images, or choose a model with the capability vision.",
        param="messages",
    )


@_when(r"^option \"(\w+)\" must be of type (\w+)")
def _option(model: str, match: re.Match[str]) -> VenomError:
    param = "max_tokens" if match[1] == "num_predict" else match[1]
    return InvalidRequest(f"{param} has the wrong type: Ollama wants {match[2]}.", param=param)


@_when(r"invalid format|invalid JSON schema in format|JSON schema conversion failed|"
       r"failed to parse grammar|error resolving ref|pattern must start")  # fmt: skip
def _format(model: str, match: re.Match[str]) -> VenomError:
    said = match.string.rpartition("conversion failed:")[2]
    return InvalidRequest(
        f"Ollama cannot use this JSON schema{provider_words(said)}",
        fix="Simplify it.",
        code="unusable_schema",
        param="response_format",
    )


@_when(r"top_logprobs must be")
def _logprobs(model: str, match: re.Match[str]) -> VenomError:
    return InvalidRequest("top_logprobs must be between 0 and 20.", param="top_logprobs")


@_when(r"illegal base64|invalid image|image: unknown format")
def _image(model: str, match: re.Match[str]) -> VenomError:
    return InvalidRequest("An image cannot be read.", param="messages")


@_when(r"cloud is disabled|cannot run this remote model|^Post \"?https?:.*/api/(chat|generate)")
def _cloud(model: str, match: re.Match[str]) -> VenomError:
    return Unavailable(
        f"{model} runs on another machine, which this Ollama does not reach.",
        code="ollama_cloud_unreachable",
        fix="Choose a model that runs on this machine: venom list",
    )


@_when(r"insufficient memory|failed to allocate|unable to allocate|out of (device )?memory|"
       r"OutOfDeviceMemory|cudaMalloc failed")  # fmt: skip
def _no_memory(model: str, match: re.Match[str]) -> VenomError:
    return Unavailable(
        f"{model} does not fit the memory that is free where Ollama runs.",
        code="out_of_memory",
        fix="Choose a smaller model or context, or stop a model: venom ps, venom stop NAME",
    )


# The next three are from the sources of Ollama and of its engine, they were not recorded.


@_when(r"requires more system memory \(([\d.]+ \w+)\) than is available \(([\d.]+ \w+)\)")
def _memory(model: str, match: re.Match[str]) -> VenomError:
    return Unavailable(
        f"{model} needs {match[1]} of memory, {match[2]} are free.",
        code="out_of_memory",
        fix="Choose a smaller model, or stop one: venom ps, venom stop NAME",
    )


@_when(r"requires a newer version of Ollama|unknown model architecture")
def _newer(model: str, match: re.Match[str]) -> VenomError:
    return Unavailable(
        f"{model} needs a newer Ollama.",
        code="ollama_too_old",
        fix="Update Ollama: https://ollama.com/download",
    )


@_when(r"tensor .* exceeds file size|invalid file magic|^unexpected EOF$|"
       r"GGUF .* exceeds maximum|failed to load model from")  # fmt: skip
def _damaged(model: str, match: re.Match[str]) -> VenomError:
    return StorageError(
        f"The files of {model} are damaged.",
        fix=f"Fetch it again: venom rm {quote(model)}, then venom pull {quote(model)}",
        code="model_damaged",
    )


@_when(r"error was encountered while running the model|"
       r"(runner|llama-server) process has terminated")  # fmt: skip
def _runner(model: str, match: re.Match[str]) -> VenomError:
    return UpstreamError(
        f"Ollama's engine broke off while it ran {model}.",
        fix="Try again; if it happens again, the model may be too large for the memory.",
    )


# While pulling.


@_when(r"pull model manifest: (file does not exist|.*\b404\b)")
def _unknown_name(model: str, match: re.Match[str]) -> VenomError:
    return ModelNotFound(
        f"Ollama's registry has no model {model!r}.",
        fix="Look for its name at https://ollama.com/library.",
        param="name",
    )


@_when(r"invalid model name|name \".*\" is invalid")
def _bad_name(model: str, match: re.Match[str]) -> VenomError:
    return InvalidRequest(
        f"{model!r} is no name of a model.",
        fix="Names look like gemma3:4b or hf.co/org/repo:Q4_K_M.",
        param="name",
    )


@_when(r"digest mismatch")
def _digest(model: str, match: re.Match[str]) -> VenomError:
    return StorageError(
        f"What arrived of {model} is not what the registry lists: the sha256 differs.",
        fix=f"Nothing damaged was kept. Fetch it again: venom pull {quote(model)}",
        code="digest_mismatch",
    )


@_when(r"no space left on device|disk quota exceeded|not enough space on the disk")
def _full(model: str, match: re.Match[str]) -> VenomError:
    return NoDiskSpace(
        f"The disk is full while fetching {model}.",
        fix="Free some space (venom list shows sizes, venom rm NAME removes), then pull again.",
    )


@_when(r"dial tcp|no such host|i/o timeout|TLS handshake|tls: |pull model manifest: 5\d\d|"
       r"max retries exceeded|no Location header")  # fmt: skip
def _network(model: str, match: re.Match[str]) -> VenomError:
    return Unavailable(
        "Ollama cannot fetch from its registry.",
        code="registry_unreachable",
        fix="Check the network of the machine where Ollama runs (HTTPS_PROXY goes to Ollama, "
        "not to Venom), then pull again: it goes on where it stopped.",
    )


_WEB = re.compile(r"https://[^\s\x00-\x20\x7f-\x9f\"'<>]{1,2000}")
# Behind a # it is no path but a place in a JSON schema.
_PATH = re.compile(r"(?<![\w/:#])(?:[A-Za-z]:\\|<\w+>/|/)[^\s:\"']+")


def of_cloud(
    status: int, words: str, model: str, retry_after: str | None, signin_url: Any
) -> VenomError:
    """Return the refusal for a model elsewhere: the status is that of whoever runs it."""
    said = f"{model} runs on another machine, which refuses this{provider_words(words)}"
    if status == 401:
        url = signin_url if isinstance(signin_url, str) and _WEB.fullmatch(signin_url) else None
        how = f"Sign Ollama in at {url}" if url else "Sign Ollama in where it runs: ollama signin"
        return InvalidApiKey(said, code="ollama_sign_in_required", fix=how)
    if status == 402:
        fix = "Pay for more at that service, or choose a model that runs on this machine."
        return PaymentRequired(said, fix=fix)
    if status == 403:
        fix = "Ask for access at that service, or choose a model that runs on this machine."
        return Forbidden(said, code="ollama_cloud_forbidden", fix=fix)
    if status == 429:
        wait = None if retry_after is None else _seconds(retry_after)
        fix = "Try again later, or choose a model that runs on this machine."
        return RateLimited(said, code="ollama_cloud_limit", fix=fix, retry_after=wait)
    if status == 404:
        return ModelNotFound(said, fix="Choose another model: venom list", param="model")
    if 400 <= status < 500:
        return InvalidRequest(said)
    return Unavailable(
        said,
        code="ollama_cloud_unreachable",
        fix="Choose a model that runs on this machine: venom list",
    )


def provider_words(words: str) -> str:
    """Return Ollama's own words for a message: one line, no paths, not too long."""
    text = " ".join(_PATH.sub("(a file)", words).split())
    return f": {text[:_QUOTED_CHARS].rstrip('.')}." if text else "."


def _seconds(header: str | None) -> float:
    wait = numbers.seconds(header, "ollama.retry-after")
    return BUSY_RETRY_SECONDS if wait is None else wait
