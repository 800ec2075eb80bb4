"""Every refusal that a provider or the core can raise.

The tree (status, code)::

    VenomError                      500 internal_error
    ├── InvalidRequest              400 invalid_request_error
    │   ├── UnsupportedParameter    400 unsupported_parameter
    │   ├── ContextLengthExceeded   400 context_length_exceeded
    │   ├── NotSupported            400 not_supported
    │   ├── ModelNotCapable         400 model_not_capable
    │   ├── RequestTooLarge         413 request_too_large
    │   └── UnsupportedEncoding     415 unsupported_encoding
    ├── InvalidApiKey               401 invalid_api_key
    ├── PaymentRequired             402 payment_required
    ├── Forbidden                   403 forbidden
    ├── ModelNotFound               404 model_not_found
    ├── NotFound                    404 not_found
    ├── Conflict                    409 conflict
    │   └── AmbiguousModel          409 ambiguous_model
    ├── RateLimited                 429 rate_limit_exceeded
    │   └── QueueFull               429 queue_full
    ├── UpstreamError               502 upstream_error
    │   ├── NotHttp                 502 upstream_error
    │   ├── UpstreamGone            502 upstream_error
    │   └── UpstreamIncomplete      502 upstream_incomplete
    ├── Unavailable                 503 provider_unavailable
    │   ├── EngineMissing           503 engine_missing
    │   ├── EngineUnreachable       503 engine_unreachable
    │   ├── ModelLoading            503 model_loading
    │   └── LlmOff                  503 llm_off
    ├── UpstreamTimeout             504 upstream_timeout
    └── StorageError                507 storage_error
        └── NoDiskSpace             400 disk_full

Each carries a machine-readable ``code``, one sentence for a person, and a ``fix``: what to do next.
A message never contains an exception's text from elsewhere, a path of the engine, or a secret: one
that is known is masked here, whoever wrote it into the sentence.

A refusal that is kept (for the next request, in a record, in the store) is kept as this object and
raised as :meth:`VenomError.again`; what has crossed a wire comes back through :func:`restored`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from venom_core.sdk.masking import masked
from venom_core.sdk.numbers import real, whole
from venom_core.sdk.printable import printable

if TYPE_CHECKING:
    from venom_core.sdk.records import ErrorRecord

DOCS_ROOT = "/docs/errors"
LONGEST_WAIT = 86_400.0
#: How OpenAI's own refusal of a prompt that is too long begins.
_OVERFLOW = re.compile(r"this model's maximum context length is", re.IGNORECASE)


class VenomError(Exception):
    """Base of every refusal.

    Args:
        message: one sentence, shown to people as it is.
        fix: the next step ("Start it with: ollama serve"); the class's own where there is none.
        code: overrides the class's code where one class has several reasons (``ollama_down``).
        param: the request field at fault, as a path (``messages[0].content``).
        retry_after: seconds after which the same call may succeed, at most a day; what cannot be is
            not given.
        docs: where the code is explained, a path served by the documentation; the list of all
            error codes unless another page explains it.
    """

    status: int = 500
    default_code: str = "internal_error"
    default_fix: str = "The log has the details: venom logs"
    type: str = "api_error"
    #: What it says together, where it is about several fields: a refusal of each.
    parts: tuple[VenomError, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        fix: str | None = None,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        docs: str | None = None,
    ) -> None:
        message = printable(masked(str(message)))  # a plugin's word may be anything
        super().__init__(message)
        self.message = message
        self.fix: str | None = printable(masked(str(fix))) if fix else self.default_fix
        self.code = code or self.default_code
        self.param = param
        self.retry_after = real(retry_after, "retry_after", 0, LONGEST_WAIT)
        self.docs = docs or f"{DOCS_ROOT}#{self.code}"

    def again(self, *, retry_after: float | None = None) -> Self:
        """Return the same refusal as a new object, to be raised once more.

        An exception collects a traceback and a context each time it is raised, and keeps every
        frame in them alive: one that is kept must not be raised itself.

        Args:
            retry_after: what is left of the wait by now; None leaves it as it was.
        """
        copy = type(self).__new__(type(self), *self.args)
        copy.__dict__.update(self.__dict__)
        copy.__dict__.pop("__notes__", None)
        if retry_after is not None:
            copy.retry_after = retry_after
        return copy

    def record(self) -> ErrorRecord:
        """Return what every surface shows of it: code, message, fix, docs, param."""
        return {
            "code": self.code,
            "message": self.message,
            "fix": self.fix,
            "docs": self.docs,
            "param": self.param,
        }

    def whole(self) -> dict[str, Any]:
        """Return everything it says, as JSON values; :func:`restored` makes it the same again."""
        return {
            **self.record(),
            "status": self.status,
            "retry_after": self.retry_after,
            "class": type(self).__name__,
        }


class InvalidRequest(VenomError):
    """The request itself is wrong; sending it again changes nothing."""

    status = 400
    default_code = "invalid_request_error"
    default_fix = "Correct the request; what it takes is at /docs/api"
    type = "invalid_request_error"


class UnsupportedParameter(InvalidRequest):
    """A parameter that this provider or model cannot honour, named in ``param``.

    Raised before the first frame, it is left out where the policy is ``warn`` and it can be: the
    provider is asked again without it.
    """

    default_code = "unsupported_parameter"


class ContextLengthExceeded(InvalidRequest):
    """The prompt does not fit the context; nothing was cut and nothing was generated.

    Its message always has the words by which clients know it: LiteLLM goes on to a model with a
    larger context at "This model's maximum context length is" and at nothing else.
    """

    default_code = "context_length_exceeded"

    def __init__(self, message: str, **words: Any) -> None:
        if not _OVERFLOW.search(message):
            message = f"This model's maximum context length is exceeded. {message}"
        super().__init__(message, **words)

    @classmethod
    def counted(
        cls, needed: int | None, size: int | None, *, fix: str, param: str = "messages"
    ) -> Self:
        """Return the refusal with the numbers, in tokens, that the upstream gave."""
        if size is None:
            return cls("The prompt does not fit it; nothing was cut.", fix=fix, param=param)
        if needed is None:
            told = f"This model's maximum context length is {size} tokens; the prompt has more."
        else:
            told = (
                f"This model's maximum context length is {size} tokens. However, your prompt has "
                f"{needed} tokens."
            )
        return cls(told, fix=fix, param=param)


class NotSupported(InvalidRequest):
    """The provider has no such operation (every optional Provider method raises it)."""

    default_code = "not_supported"


class ModelNotCapable(InvalidRequest):
    """The model exists but cannot do this (embeddings on a chat model, images on a text model)."""

    default_code = "model_not_capable"


class RequestTooLarge(InvalidRequest):
    """The body is larger than the server accepts."""

    status = 413
    default_code = "request_too_large"


class UnsupportedEncoding(InvalidRequest):
    """The body is compressed in a way that is not read."""

    status = 415
    default_code = "unsupported_encoding"


class InvalidApiKey(VenomError):
    """No key, or one that is unknown or revoked."""

    status = 401
    default_code = "invalid_api_key"
    default_fix = "Make a key with: venom keys create NAME"
    type = "authentication_error"


class PaymentRequired(VenomError):
    """Whoever runs the model elsewhere wants to be paid for it."""

    status = 402
    default_code = "payment_required"
    default_fix = "Pay for more where it runs, or choose another model: venom list"
    type = "billing_error"


class Forbidden(VenomError):
    """The caller is known or irrelevant, and may not do this (Host, Origin, scope)."""

    status = 403
    default_code = "forbidden"
    default_fix = "See what each key may do with: venom keys list"
    type = "permission_error"


class ModelNotFound(VenomError):
    """No provider knows the reference."""

    status = 404
    default_code = "model_not_found"
    default_fix = "See the names with: venom list"
    type = "not_found_error"


class NotFound(VenomError):
    """No such route, plugin, key or operation."""

    status = 404
    default_code = "not_found"
    default_fix = "The routes are listed at /docs/api"
    type = "not_found_error"


class Conflict(VenomError):
    """The state of things forbids it just now."""

    status = 409
    default_code = "conflict"
    default_fix = "Try again in a moment."
    type = "conflict_error"


class AmbiguousModel(Conflict):
    """A bare name that several providers serve; the message lists the candidates."""

    default_code = "ambiguous_model"


class RateLimited(VenomError):
    """Too many requests; ``retry_after`` says when."""

    status = 429
    default_code = "rate_limit_exceeded"
    default_fix = "Try again later."
    type = "rate_limit_error"


class QueueFull(RateLimited):
    """The bounded queue before the engine is full."""

    default_code = "queue_full"


class UpstreamError(VenomError):
    """The engine or server behind the provider answered wrongly or broke off."""

    status = 502
    default_code = "upstream_error"
    default_fix = "Try again; if it happens again, see: venom doctor"
    type = "upstream_error"


class NotHttp(UpstreamError):
    """The server at the address does not speak HTTP."""


class UpstreamGone(UpstreamError):
    """The connection broke, or a proxy answered in the upstream's place: that tells of the server,
    and not of the request."""


class UpstreamIncomplete(UpstreamError):
    """The upstream closed its stream without a finish."""

    default_code = "upstream_incomplete"


class Unavailable(VenomError):
    """The provider cannot serve now; ``fix`` says what would help."""

    status = 503
    default_code = "provider_unavailable"
    default_fix = "See what is missing with: venom doctor"
    type = "service_unavailable_error"


class EngineMissing(Unavailable):
    """The plugin is installed, its engine is not."""

    default_code = "engine_missing"


class EngineUnreachable(Unavailable):
    """No connection to the engine or server could be made; nothing was sent."""

    default_code = "engine_unreachable"


class ModelLoading(Unavailable):
    """The engine is up and still loading the model."""

    default_code = "model_loading"
    default_fix = "Try again in a moment."


class LlmOff(Unavailable):
    """The active profile lets no model run, as ``llm_off`` does."""

    default_code = "llm_off"
    default_fix = "Choose a profile that runs models: venom profile use light"


class UpstreamTimeout(VenomError):
    """The upstream sent nothing for longer than its deadline."""

    status = 504
    default_code = "upstream_timeout"
    default_fix = "Try again; if it happens again, see: venom doctor"
    type = "timeout_error"


class StorageError(VenomError):
    """A disk is full, read-only, or holds a file with the wrong digest."""

    status = 507
    default_code = "storage_error"
    default_fix = "See the state of the disk with: venom doctor"
    type = "storage_error"


class NoDiskSpace(StorageError):
    """The model or package does not fit the disk, or the limit set for models.

    Every ``disk_full`` is one of these: found beforehand or half-way, the request asked too much.
    """

    status = 400
    default_code = "disk_full"


#: The class of a status that several classes have, and none of them owns the code.
_FAMILIES: dict[int, type[VenomError]] = {
    400: InvalidRequest,
    401: InvalidApiKey,
    402: PaymentRequired,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: RequestTooLarge,
    415: UnsupportedEncoding,
    422: InvalidRequest,
    429: RateLimited,
    502: UpstreamError,
    503: Unavailable,
    504: UpstreamTimeout,
    507: StorageError,
}


def class_of(
    code: object, status: int | None = None, name: object = None, type_: object = None
) -> type[VenomError]:
    """Return the class of a refusal of which these are known: the one of that name, else the one
    that owns the code, else the one that stands for the status, else for the type.

    A class whose status is another one than ``status`` is not it: what was sent is believed.
    """
    known = [kind for kind in _classes(VenomError) if status in (None, kind.status)]
    for kind in known:
        if kind.__name__ == name:
            return kind
    for kind in known:
        if kind.default_code == code:
            return kind
    if status is not None:
        return _FAMILIES.get(status, VenomError)
    return next((kind for kind in known if kind.type == type_), VenomError)


def restored(words: Mapping[str, Any]) -> VenomError:
    """Return the refusal that :meth:`VenomError.whole` or an answer's body tells of.

    Args:
        words: of ``code``, ``message`` (or ``detail``), ``fix``, ``docs``, ``param``,
            ``retry_after``, ``status``, ``type`` and ``class`` whatever is known.
    """
    told, wait = words.get("status"), words.get("retry_after")
    status = whole(told, "refusal.status", 599, 400)
    kind = class_of(words.get("code"), status, words.get("class"), words.get("type"))
    message = (
        words.get("message")
        or words.get("detail")
        or f"The server answered {status or kind.status}."
    )
    if fix := _text(words.get("fix")):
        message = str(message).removesuffix(f" {fix}")
    error = VenomError.__new__(kind, str(message))
    # A subclass's constructor may ask for more than a refusal says.
    VenomError.__init__(
        error,
        str(message),
        fix=fix,
        code=_text(words.get("code")),
        param=_text(words.get("param")),
        retry_after=wait,
        docs=_text(words.get("docs")),
    )
    if status is not None and status != kind.status:
        error.status = status
    return error


def with_fix(message: str, fix: str | None) -> str:
    """Return both as one text, for clients that show nothing else; :func:`restored` parts them."""
    if not fix:
        return message
    end = "" if message.endswith((".", "!", "?", ":")) else "."
    return f"{message}{end} {fix}"


def _classes(kind: type[VenomError]) -> Iterator[type[VenomError]]:
    """Yield the tree level by level: of two that share a code the base owns it."""
    level = [kind]
    while level:
        yield from level
        level = [sub for one in level for sub in one.__subclasses__()]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
