"""One refusal, two shapes: OpenAI's under ``/v1``, ours elsewhere. Never a stack trace."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from typing import Any, Literal, NotRequired

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Mount
from starlette.types import Scope
from typing_extensions import TypedDict

from venom_core.api.foreign_routes import foreign_route, no_route
from venom_core.api.language import in_language, language_headers, language_of
from venom_core.language.polish import Language
from venom_core.sdk.errors import (
    InvalidRequest,
    NotFound,
    RequestTooLarge,
    UpstreamIncomplete,
    VenomError,
    with_fix,
)
from venom_core.sdk.masking import masked
from venom_core.sdk.records import ErrorRecord

log = logging.getLogger(__name__)

#: The paths of Ollama's API, beside those of ours below ``/api/v1``.
OLLAMA = re.compile(
    r"/api/(version|tags|ps|show|chat|generate|embed|embeddings|pull|delete|copy|create|push"
    r"|blobs/.*)"
)


def too_large(
    limit: int, fix: str = "Send less, or raise VENOM_MAX_BODY_BYTES."
) -> RequestTooLarge:
    return RequestTooLarge(f"The body is larger than {limit:,} bytes.", fix=fix)


def internal_error(error: BaseException) -> VenomError:
    """Return what a fault of ours looks like from outside; its trace goes to the log."""
    log.error("a request failed", exc_info=error)
    return VenomError("Venom failed at this request.", fix="The log has the details: venom logs")


def ending_of(error: BaseException) -> VenomError:
    """Return what a client is told of whatever ended its stream; a cancellation that is not its own
    leaving is told as well, for no stream just stops."""
    if isinstance(error, VenomError):
        return error
    if isinstance(error, Exception):
        return internal_error(error)
    return UpstreamIncomplete(
        "The answer was broken off before it was whole.",
        fix="Try again; the server may be stopping.",
    )


class OpenAIErrorBody(TypedDict):
    """``message`` ends with the next step, which ``fix`` is alone; ``docs`` is a path."""

    message: str
    type: str
    param: str | None
    code: str
    docs: str
    fix: NotRequired[str]


class OpenAIError(TypedDict):
    """A refusal under ``/v1``, as OpenAI's clients read it."""

    error: OpenAIErrorBody


def openai_error(error: VenomError, language: Language = "en") -> OpenAIError:
    """Return the refusal as OpenAI's clients read it, in a language. They show the message and
    nothing else, so it says what to do too; our ``fix`` and ``docs`` are beside it."""
    said = in_language(error.record(), language)
    record: OpenAIErrorBody = {
        "message": masked(with_fix(said["message"], said["fix"])),
        "type": error.type,
        "param": error.param,
        "code": error.code,
        "docs": said["docs"],
    }
    if said["fix"]:
        record["fix"] = masked(said["fix"])
    return {"error": record}


class AnthropicErrorBody(TypedDict):
    """``message`` ends with the next step; the rest but ``type`` is ours."""

    type: str
    message: str
    param: str | None
    code: str
    docs: str
    fix: NotRequired[str]


class AnthropicError(TypedDict):
    """A refusal under ``/v1/messages``, as Anthropic's clients read it."""

    type: Literal["error"]
    error: AnthropicErrorBody


#: What Anthropic calls a refusal of a status; others below 500 are requests that cannot be served.
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def anthropic_error(error: VenomError, language: Language = "en") -> AnthropicError:
    """Return the refusal as Anthropic's clients read it, in a language. They show the message and
    nothing else, so it says what to do too."""
    told = openai_error(error, language)["error"]
    kind = _ANTHROPIC_TYPES.get(
        error.status, "invalid_request_error" if error.status < 500 else "api_error"
    )
    record: AnthropicErrorBody = {
        "type": kind,
        "message": told["message"],
        "param": told["param"],
        "code": told["code"],
        "docs": told["docs"],
    }
    if "fix" in told:
        record["fix"] = told["fix"]
    return {"type": "error", "error": record}


class OllamaError(TypedDict):
    """A refusal on Ollama's paths, as its clients read it; the rest but ``error`` is ours."""

    error: str
    code: str
    docs: str


def ollama_error(error: VenomError, language: Language = "en") -> OllamaError:
    """Return the refusal as Ollama's clients read it, in a language: a sentence, which says what to
    do too."""
    told = openai_error(error, language)["error"]
    return {"error": told["message"], "code": told["code"], "docs": told["docs"]}


class ApiError(TypedDict):
    """A refusal under ``/api/v1``: ``detail`` is the sentence, ``code`` is stable, ``fix`` the next
    step, ``docs`` a path, ``param`` the request field at fault; ``parts`` says it of each where
    there are several. Where the older system refused with
    ``success`` (false) and ``message``, they are there too, and the message is the sentence."""

    detail: str
    code: str
    fix: str | None
    docs: str
    param: str | None
    parts: NotRequired[list[ErrorRecord]]
    success: NotRequired[bool]
    message: NotRequired[str]


def api_error(error: VenomError) -> ApiError:
    """Return the refusal under ``/api/v1``: ``detail`` is the sentence."""
    record = _masked(error.record())
    told: ApiError = {
        "detail": record["message"],
        "code": record["code"],
        "fix": record["fix"],
        "docs": record["docs"],
        "param": record["param"],
    }
    if error.parts:
        told["parts"] = [_masked(part.record()) for part in error.parts]
    return told


def _masked(record: ErrorRecord) -> ErrorRecord:
    fix = None if record["fix"] is None else masked(record["fix"])
    return {**record, "message": masked(record["message"]), "fix": fix}


def error_headers(error: VenomError) -> dict[str, str]:
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def error_response(scope: Scope, error: VenomError) -> Response:
    """Return the answer for a refusal. The path chooses its shape (and the header that Anthropic's
    clients send, where a path is of two wires), ``Accept-Language`` its language."""
    whole = (
        scope.get("root_path", "") + scope["path"] if "app_root_path" in scope else scope["path"]
    )
    language = language_of(scope)
    shape = refusal_shape(whole, is_anthropic(scope))
    body: Mapping[str, Any]
    if shape is AnthropicError:
        body = anthropic_error(error, language)
    elif shape is OllamaError:
        body = ollama_error(error, language)
    elif shape is OpenAIError:
        body = openai_error(error, language)
    else:
        body = in_language(api_error(error), language)
    headers = {**error_headers(error), **language_headers(language)}
    return JSONResponse(body, error.status, headers)


def refusal_shape(path: str, anthropic: bool = False) -> type:
    """Return the shape of refusals under a path: a TypedDict.

    Args:
        anthropic: whether a client of Anthropic's asks, for a path that two wires have.
    """
    if path.startswith("/v1/messages") or (anthropic and path.startswith("/v1/models")):
        return AnthropicError
    if OLLAMA.fullmatch(path):
        return OllamaError
    return OpenAIError if path == "/v1" or path.startswith("/v1/") else ApiError


def is_anthropic(scope: Scope) -> bool:
    """Return whether a client of Anthropic's asks: each of its requests has its version."""
    return any(name == b"anthropic-version" for name, _ in scope["headers"])


def from_http_exception(error: HTTPException, path: str, allowed: str = "GET") -> VenomError:
    """Return the router's own refusals (404, 405, a body cut at its limit) as ours.

    Args:
        allowed: the methods that the path takes.
    """
    if isinstance(error.__cause__, VenomError):
        return error.__cause__
    if error.status_code == 404:
        return no_route(path)
    if error.status_code == 405:
        return foreign_route(path) or _MethodNotAllowed(
            "This route does not take this method.", fix=f"It takes {allowed}."
        )
    return InvalidRequest(str(error.detail), fix="The routes are listed at /docs/api")


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class _MethodNotAllowed(NotFound):
    status = 405
    default_code = "method_not_allowed"


def allowed_methods(scope: Scope) -> str:
    """Return what may be asked of a path, as ``Allow`` has it; empty where no route has it.

    Starlette names the methods of the first route that has the path, and a path has a route for
    each of its methods.
    """
    # A mounted application's ``root_path`` is longer than that of the routes.
    whole = {**scope, "root_path": scope.get("app_root_path", scope.get("root_path", ""))}
    routes = [route for route in scope["app"].router.routes if not isinstance(route, Mount)]
    return ", ".join(
        method
        for method in _METHODS
        if any(route.matches({**whole, "method": method})[0] is Match.FULL for route in routes)
    )


async def on_venom_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, VenomError)
    return error_response(request.scope, error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = allowed_methods(request.scope) or headers.get("Allow", "GET")
    refusal = from_http_exception(error, request.scope["path"], headers.get("Allow", "GET"))
    response = error_response(request.scope, refusal)
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    return response


async def on_unexpected(request: Request, error: Exception) -> Response:
    return error_response(request.scope, internal_error(error))
