"""Every refusal that a provider or the core can raise.

The tree (status, code)::

    VenomError                      500 internal_error
    ├── InvalidRequest              400 invalid_request_error
    │   ├── UnsupportedParameter    400 unsupported_parameter
    │   ├── ContextLengthExceeded   400 context_length_exceeded
    │   ├── NotSupported            400 not_supported
    │   ├── ModelNotCapable         400 model_not_capable
    │   └── RequestTooLarge         413 request_too_large
    ├── InvalidApiKey               401 invalid_api_key
    ├── Forbidden                   403 forbidden
    ├── ModelNotFound               404 model_not_found
    ├── NotFound                    404 not_found
    ├── Conflict                    409 conflict
    │   └── AmbiguousModel          409 ambiguous_model
    ├── RateLimited                 429 rate_limit_exceeded
    │   └── QueueFull               429 queue_full
    ├── UpstreamError               502 upstream_error
    │   ├── NotHttp                 502 upstream_error
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
A message never contains an exception's text from elsewhere, a path of the engine, or a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from venom_core.sdk.records import ErrorRecord

DOCS_ROOT = "/docs/errors"


class VenomError(Exception):
    """Base of every refusal.

    Args:
        message: one sentence, shown to people as it is.
        fix: the next step ("Start it with: ollama serve"); omitted where there is none.
        code: overrides the class's code where one class has several reasons (``ollama_down``).
        param: the request field at fault, as a path (``messages[0].content``).
        retry_after: seconds after which the same call may succeed.
    """

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal_error"
    type: ClassVar[str] = "api_error"

    def __init__(
        self,
        message: str,
        *,
        fix: str | None = None,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code or self.default_code
        self.param = param
        self.retry_after = retry_after

    @property
    def docs(self) -> str:
        """Where this code is explained: a path served by the documentation."""
        return f"{DOCS_ROOT}#{self.code}"

    def record(self) -> ErrorRecord:
        """The same refusal as every surface shows it: code, message, fix, docs, param."""
        return {
            "code": self.code,
            "message": self.message,
            "fix": self.fix,
            "docs": self.docs,
            "param": self.param,
        }


class InvalidRequest(VenomError):
    """The request itself is wrong; sending it again changes nothing."""

    status = 400
    default_code = "invalid_request_error"
    type = "invalid_request_error"


class UnsupportedParameter(InvalidRequest):
    """A parameter that this provider or model cannot honour, named in ``param``."""

    default_code = "unsupported_parameter"


class ContextLengthExceeded(InvalidRequest):
    """The prompt does not fit the context; nothing was cut and nothing was generated."""

    default_code = "context_length_exceeded"


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


class InvalidApiKey(VenomError):
    """No key, or one that is unknown or revoked."""

    status = 401
    default_code = "invalid_api_key"
    type = "authentication_error"


class Forbidden(VenomError):
    """The caller is known or irrelevant, and may not do this (Host, Origin, scope)."""

    status = 403
    default_code = "forbidden"
    type = "permission_error"


class ModelNotFound(VenomError):
    """No provider knows the reference."""

    status = 404
    default_code = "model_not_found"
    type = "not_found_error"


class NotFound(VenomError):
    """No such route, plugin, key or operation."""

    status = 404
    default_code = "not_found"
    type = "not_found_error"


class Conflict(VenomError):
    """The state of things forbids it just now."""

    status = 409
    default_code = "conflict"
    type = "conflict_error"


class AmbiguousModel(Conflict):
    """A bare name that several providers serve; the message lists the candidates."""

    default_code = "ambiguous_model"


class RateLimited(VenomError):
    """Too many requests; ``retry_after`` says when."""

    status = 429
    default_code = "rate_limit_exceeded"
    type = "rate_limit_error"


class QueueFull(RateLimited):
    """The bounded queue before the engine is full."""

    default_code = "queue_full"


class UpstreamError(VenomError):
    """The engine or server behind the provider answered wrongly or broke off."""

    status = 502
    default_code = "upstream_error"
    type = "upstream_error"


class NotHttp(UpstreamError):
    """What listens at the address does not speak HTTP."""


class UpstreamIncomplete(UpstreamError):
    """The upstream closed its stream without a finish."""

    default_code = "upstream_incomplete"


class Unavailable(VenomError):
    """The provider cannot serve now; ``fix`` says what would help."""

    status = 503
    default_code = "provider_unavailable"
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


class LlmOff(Unavailable):
    """The profile ``llm_off`` is active."""

    default_code = "llm_off"


class UpstreamTimeout(VenomError):
    """The upstream sent nothing for longer than its deadline."""

    status = 504
    default_code = "upstream_timeout"
    type = "timeout_error"


class StorageError(VenomError):
    """A disk is full, read-only, or holds a file with the wrong digest."""

    status = 507
    default_code = "storage_error"
    type = "storage_error"


class NoDiskSpace(StorageError):
    """What was asked for does not fit the disk or the limit set for models; nothing was begun."""

    status = 400
    default_code = "disk_full"
