"""Ollama's refusals as ours. It refuses by status and, mostly, by the words; both are recorded.

Source: answers of Ollama 0.24.0 (``venom_core.testing.ollama``), its source for the few marked so.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from venom_core.sdk.errors import (
    ContextLengthExceeded,
    InvalidRequest,
    ModelNotCapable,
    ModelNotFound,
    NoDiskSpace,
    QueueFull,
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


def refusal(status: int, words: str, model: str, retry_after: str | None = None) -> VenomError:
    """Return the refusal that an error answer of Ollama stands for.

    Args:
        status: of the answer; 200 for an error line inside a stream.
        words: its ``error`` text, empty where it had none.
        model: the reference that was asked for.
        retry_after: the answer's header of that name.
    """
    if status == 503:
        return QueueFull(
            "Ollama is busy: its queue of requests waiting for a model is full.",
            fix="Try again in a few seconds, or raise OLLAMA_MAX_QUEUE where Ollama runs.",
            retry_after=_seconds(retry_after),
        )
    for pattern, maker in _RULES:
        if match := pattern.search(words):
            return maker(model, match)
    if status == 404:
        return model_not_found(model)
    if status in (401, 403):
        return Unavailable(
            f"Ollama refuses this{_provider_words(words)}",
            code="ollama_refused",
            fix="Check OLLAMA_HOST here, and OLLAMA_HOST and OLLAMA_ORIGINS where Ollama runs.",
        )
    if 400 <= status < 500:
        return InvalidRequest(f"Ollama refused the request{_provider_words(words)}")
    return UpstreamError(
        f"Ollama failed{_provider_words(words)}",
        fix="Try again; if it happens again, look at Ollama's log (ollama serve).",
    )


def model_not_found(model: str) -> ModelNotFound:
    """Return the refusal for a model that is not installed."""
    return ModelNotFound(
        f"Ollama has no model {model!r}.", fix=f"venom pull {model}", param="model"
    )


def does_not_fit(model: str) -> ContextLengthExceeded:
    """Return the refusal for a prompt longer than the context."""
    return ContextLengthExceeded(
        f"The prompt is longer than the context of {model}.",
        fix="Shorten the conversation, or set OLLAMA_CONTEXT_LENGTH higher (it costs memory).",
        param="messages",
    )


@_when(r"exceeds .*context (length|size|window)|prompt is too long")
def _context(model: str, match: re.Match[str]) -> VenomError:
    return does_not_fit(model)


@_when(r"does not support (tools|thinking|insert)")
def _parameter(model: str, match: re.Match[str]) -> VenomError:
    param = {"tools": "tools", "thinking": "reasoning_effort", "insert": "suffix"}[match[1].lower()]
    return UnsupportedParameter(
        f"The model {model} does not support {match[1]}.",
        fix=f"Leave out {param}, or choose a model that can: venom show NAME lists capabilities.",
        param=param,
    )


@_when(r"does not support (chat|generate|completion)")
def _no_chat(model: str, match: re.Match[str]) -> VenomError:
    return ModelNotCapable(
        f"The model {model} cannot answer: it is for embeddings, or its files are damaged.",
        fix=f"Choose a chat model, or fetch this one again: venom pull {model}",
        param="model",
    )


@_when(r"does not support embeddings")
def _no_embeddings(model: str, match: re.Match[str]) -> VenomError:
    return ModelNotCapable(
        f"The model {model} makes no embeddings.",
        fix="Choose an embedding model, for example: venom pull embeddinggemma",
        param="model",
    )


@_when(r"missing data required for image input|does not support (images|vision)")
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


@_when(r"invalid format|invalid JSON schema in format")
def _format(model: str, match: re.Match[str]) -> VenomError:
    return InvalidRequest(
        "Ollama cannot use this JSON schema.", fix="Simplify it.", param="response_format"
    )


@_when(r"top_logprobs must be")
def _logprobs(model: str, match: re.Match[str]) -> VenomError:
    return InvalidRequest("top_logprobs must be between 0 and 20.", param="top_logprobs")


@_when(r"illegal base64|invalid image|image: unknown format")
def _image(model: str, match: re.Match[str]) -> VenomError:
    return InvalidRequest("An image cannot be read.", param="messages")


@_when(r"cloud is disabled|ollama\.com(:\d+)?/api")
def _cloud(model: str, match: re.Match[str]) -> VenomError:
    return Unavailable(
        f"{model} runs in Ollama's cloud, which this Ollama cannot reach.",
        code="ollama_cloud_unreachable",
        fix="Choose a model that runs on this machine: venom list",
    )


# The next two are from Ollama's source, they were not recorded.


@_when(r"requires more system memory \(([\d.]+ \w+)\) than is available \(([\d.]+ \w+)\)")
def _memory(model: str, match: re.Match[str]) -> VenomError:
    return Unavailable(
        f"{model} needs {match[1]} of memory, {match[2]} are free.",
        code="out_of_memory",
        fix="Choose a smaller model, or stop one: venom ps, venom stop NAME",
    )


@_when(r"requires a newer version of Ollama")
def _newer(model: str, match: re.Match[str]) -> VenomError:
    return Unavailable(
        f"{model} needs a newer Ollama.",
        code="ollama_too_old",
        fix="Update Ollama: https://ollama.com/download",
    )


@_when(r"tensor .* exceeds file size|invalid file magic|^unexpected EOF$")
def _damaged(model: str, match: re.Match[str]) -> VenomError:
    return StorageError(
        f"The files of {model} are damaged.",
        fix=f"Fetch it again: venom rm {model}, then venom pull {model}",
        code="model_damaged",
    )


@_when(r"error was encountered while running the model|runner process has terminated")
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
        fix=f"Nothing damaged was kept. Fetch it again: venom pull {model}",
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


_PATH = re.compile(r"(?<![\w/:])(?:[A-Za-z]:\\|<\w+>/|/)[^\s:\"']+")


def _provider_words(words: str) -> str:
    """Return Ollama's own words for a message: one line, no paths, not too long."""
    text = " ".join(_PATH.sub("(a file)", words).split())
    return f": {text[:_QUOTED_CHARS].rstrip('.')}." if text else "."


def _seconds(header: str | None) -> float:
    try:
        return float(header) if header is not None else BUSY_RETRY_SECONDS
    except ValueError:
        return BUSY_RETRY_SECONDS
