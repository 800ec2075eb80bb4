"""The refusal that an upstream's own words stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from venom_core.sdk import numbers
from venom_core.sdk.errors import (
    DOCS_ROOT,
    ContextLengthExceeded,
    Forbidden,
    InvalidRequest,
    ModelLoading,
    ModelNotFound,
    PaymentRequired,
    RateLimited,
    Unavailable,
    UpstreamError,
    UpstreamGone,
    UpstreamIncomplete,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.masking import masked
from venom_core.sdk.wire_objects import load_object

_ASK = "Ask whoever runs that server, or choose another model: venom list"
_LOADING = re.compile(r"\bloading\b", re.IGNORECASE)


def no_openai_answer() -> UpstreamError:
    """Return the refusal for what no OpenAI-compatible server sends."""
    return UpstreamError(
        "The upstream's answer is not an OpenAI answer.",
        fix="See whether an OpenAI-compatible server is at that address: venom config show",
    )


def incomplete() -> UpstreamIncomplete:
    """Return the refusal for an answer that ended before it was whole."""
    return UpstreamIncomplete(
        "The engine closed its stream before the answer was whole.",
        fix="Try again; venom doctor shows whether the engine still runs.",
    )


_CONTEXT = re.compile(
    r"context[ _](?:size|length|window)|exceed_context|maximum context|too many tokens"
    r"|prompt is too long",
    re.IGNORECASE,
)
_CONTEXT_SIZE = re.compile(
    r"context (?:size|length|window)[^\d.]{0,40}(\d{1,12})(?!\d)", re.IGNORECASE
)
_TOKENS = re.compile(r"(?<!\d)(\d{1,12}) (?:\w+ )?tokens", re.IGNORECASE)
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.\-~ ]+){2,}")


_KEY = re.compile(
    r"api[ _-]?key|invalid[ _-]token|unauthori[sz]ed|authenticat|credential", re.IGNORECASE
)
_MODEL = re.compile(r"\bmodels?\b|model_not_found", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z][\w.:-]{0,63}", re.ASCII)
MAX_WORDS = 300


@dataclass(frozen=True, slots=True)
class Words:
    """The words of an upstream's error, fit to be shown: bounded, without paths.

    ``kind`` is whatever names the kind of error, ``code`` what goes on to the client as it is.
    """

    text: str = ""
    kind: str = ""
    code: str | None = None
    param: str | None = None

    @classmethod
    def of(cls, error: Any) -> Words:
        if not isinstance(error, Mapping):
            return cls(_shown(error))
        code, param = error.get("code"), error.get("param")
        return cls(
            _shown(error.get("message")),
            f"{error.get('type', '')} {code}",
            code if isinstance(code, str) and _CODE.fullmatch(code) else None,
            _shown(param) or None,
        )

    def says(self, sentence: str) -> str:
        return sentence + (f" It says: {self.text}" if self.text else "")

    def refused(self, kind: type[VenomError], message: str, **more: Any) -> VenomError:
        """Return a refusal with the upstream's own code and param; our pages do not know that
        code, so it leads to that of the class."""
        docs = f"{DOCS_ROOT}#{kind.default_code}"
        return kind(message, code=self.code, param=self.param, docs=docs, **more)


def error_event(error: Any) -> VenomError:
    """Return the refusal that an upstream's ``error`` object stands for."""
    words = Words.of(error)
    if _is_overflow(words):
        return _context_exceeded(error)
    status = error.get("code") if isinstance(error, Mapping) else None
    if isinstance(status, int) and 400 <= status < 500:
        return _of_status(status, words, "", "")
    text = words.text
    said = f"The engine reported an error: {text}" if text else "The engine failed."
    return words.refused(UpstreamError, said)


def refusal(
    status: int, headers: Mapping[str, str], data: bytes, model: str, route: str = ""
) -> VenomError:
    """Return the refusal that an upstream's error answer stands for.

    ``UpstreamGone`` and ``UpstreamTimeout`` stand for an answer of a proxy before the upstream:
    502, 503 or 504 without an error of the upstream's own.
    """
    error, is_own = _error_of(data)
    words = Words.of(error)
    if status in (400, 413, 422) and _is_overflow(words):
        return _context_exceeded(error)
    wait = numbers.seconds(headers.get("retry-after"), "upstream.retry-after")
    if status in (502, 503, 504) and not (is_own and words.text):
        if status == 504:
            return UpstreamTimeout("The upstream server timed out.")
        gone = UpstreamGone(f"The upstream server answered {status}.", retry_after=wait)
        gone.status = status
        return gone
    if status == 429:
        said = words.says("The upstream server asks for fewer requests.")
        return words.refused(RateLimited, said, retry_after=wait)
    if status == 503:
        if _LOADING.search(words.text):
            return ModelLoading("The engine is still loading the model.", retry_after=wait or 2)
        said = words.says(f"The upstream server answered {status}.")
        return words.refused(Unavailable, said, retry_after=wait)
    return _of_status(status, words, model, route)


def _of_status(status: int, words: Words, model: str, route: str) -> VenomError:
    """Return the refusal for a status that says something about this request."""
    if status == 401 or (status in (400, 403) and _KEY.search(f"{words.kind} {words.text}")):
        return Unavailable(
            "The upstream server refused our key.",
            code="upstream_key_refused",
            fix="Set the provider's api_key to one that this server accepts; its variable is in: "
            "venom config show",
        )
    if status == 402:
        return words.refused(
            PaymentRequired, words.says("The upstream server wants to be paid for this.")
        )
    if status == 403:
        return words.refused(
            Forbidden, words.says("The upstream server does not allow this."), fix=_ASK
        )
    if status in (404, 405):
        return _not_found(words, model, route)
    if 400 <= status < 500 and status != 408:
        message = f"The engine refused the request: {words.text or 'no reason given'}"
        refused = words.refused(InvalidRequest, message)
        refused.status = status
        return refused
    error = words.refused(UpstreamError, words.says(f"The upstream server answered {status}."))
    error.status = status if status in (503, 504) else error.status
    return error


def _not_found(words: Words, model: str, route: str) -> VenomError:
    """Tell a missing model from a missing route: whoever knows the route names the model."""
    named = bool(model) and re.search(rf"(?<!\w){re.escape(model)}(?!\w)", words.text)
    if named or _MODEL.search(f"{words.kind} {words.text}"):
        said = words.says(f"The upstream server has no model {model!r}.")
        return ModelNotFound(said, param="model", fix="venom list")
    return UpstreamError(
        words.says(f"The upstream server has no route {route or '/v1'}."),
        fix="Check the server's address, and that it offers this at all.",
    )


def _error_of(data: bytes) -> tuple[Any, bool]:
    """Return the error in a body, and whether it is the upstream's own for sure: a text may be a
    proxy's, and a page is."""
    try:
        return failure(load_object(data)), True
    except ValueError:
        text = data[:MAX_WORDS].decode("utf-8", "replace").strip()
        is_page = text.startswith("<") or not text.isprintable()
        return None if is_page else text, False


def failure(body: Mapping[str, Any]) -> Any:
    """Return the error that an object tells of: OpenAI's shape, or a server's own; else None."""
    if error := body.get("error"):
        return error
    if any(body.get(key) for key in ("choices", "usage", "data")):
        return None
    words = body.get("message") or body.get("detail")
    return {**body, "message": words} if isinstance(words, str) and words else None


def _is_overflow(words: Words) -> bool:
    return bool(_CONTEXT.search(words.text) or _CONTEXT.search(words.kind))


def _shown(text: Any) -> str:
    text = text if isinstance(text, str) else ""
    return _PATH.sub("<path>", masked(text))[:MAX_WORDS]


def _context_exceeded(error: Any) -> ContextLengthExceeded:
    needed, size = _overflow_numbers(error)
    return ContextLengthExceeded.counted(
        needed,
        size,
        fix="Shorten the conversation, or give the model a larger context where it is served.",
    )


def _overflow_numbers(error: Any) -> tuple[int | None, int | None]:
    """Return how many tokens the prompt has and how many the context, as far as the upstream says:
    llama.cpp in fields of their own, vLLM, LM Studio and others in their sentence."""
    if isinstance(error, Mapping):
        needed = numbers.tokens(error.get("n_prompt_tokens"), "upstream.n_prompt_tokens")
        size = numbers.tokens(error.get("n_ctx"), "upstream.n_ctx")
        if needed and size:
            return needed, size
    text = Words.of(error).text
    found = _CONTEXT_SIZE.search(text)
    size = numbers.tokens(int(found[1]), "upstream.n_ctx") if found else None
    counts = [int(count) for count in _TOKENS.findall(text)]
    needed = next((count for count in counts if size is not None and count > size), None)
    return needed, size
