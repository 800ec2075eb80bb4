"""Refusals of a runtime that is not the one that was tried, or cannot compute as is set."""

from __future__ import annotations

from typing import Any

from venom_core.sdk.engine_failures import check_tried
from venom_core.sdk.errors import Unavailable, VenomError

#: The versions that were tried; a later one may compute the same calls otherwise, or not at all.
TRIED = {"onnxruntime": "1.31", "onnxruntime-genai": "0.18"}

#: The setting with which a model takes less memory.
LESS_MEMORY = "VENOM_ONNX__CONTEXT_LENGTH"


def check_version(distribution: str, found: str) -> None:
    """Raise the refusal where an engine is not of a version that was tried."""
    check_tried(distribution, found, TRIED[distribution], "venom plugins install onnx")


def check_execution_provider(runtime: Any, provider: str) -> None:
    """Raise the refusal where the installed runtime cannot compute with what is set."""
    if provider != "cpu" and not getattr(runtime, f"is_{provider}_available")():
        raise execution_provider_missing(provider)


def execution_provider_missing(provider: str) -> VenomError:
    """Return the refusal of a runtime without an execution provider."""
    return Unavailable(
        f"The installed onnxruntime has no {provider}.",
        code="execution_provider_missing",
        fix=f"Set VENOM_ONNX__EXECUTION_PROVIDER=cpu, or install a build of it with {provider}.",
    )
