"""Turns the words of onnxruntime-genai on a model that it cannot load into refusals. Seen in
0.18."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from venom_core.sdk.errors import Unavailable, VenomError
from venom_onnx.refusals import damaged, shown

#: The versions that were tried; a later one may compute the same calls otherwise, or not at all.
TRIED = {"onnxruntime": "1.31", "onnxruntime-genai": "0.18"}
_MEMORY = re.compile(
    r"bad_?alloc|bad allocation|failed to allocate|out of memory|cannot allocate|not enough memory",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\][^\s:'\"]+")


@contextlib.contextmanager
def load_errors(name: str) -> Iterator[None]:
    """Turn what the runtime raises within the block into refusals, without its paths."""
    try:
        yield
    except VenomError:
        raise
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        raise load_failure(name, error) from error


def load_failure(name: str, error: Exception) -> VenomError:
    """Return the refusal that an error of the runtime stands for."""
    if _lacks_memory(error):
        return out_of_memory(name)
    words = shown(_PATH.sub("(its file)", str(error)).strip().rstrip("."))
    return damaged(f"The engine cannot load the files of {name}: {words}.")


@contextlib.contextmanager
def memory_errors(name: str) -> Iterator[None]:
    """Turn a lack of memory within the block into the refusal; any other error is raised as it
    is."""
    try:
        yield
    except Exception as error:
        if _lacks_memory(error):
            raise out_of_memory(name) from error
        raise


def out_of_memory(name: str) -> VenomError:
    """Return the refusal of a model for which there is not enough memory."""
    return Unavailable(
        f"There is not enough memory for {name}.",
        code="out_of_memory",
        fix="Choose a smaller model, stop one (venom ps, venom stop NAME), or set "
        "VENOM_ONNX__CONTEXT_LENGTH lower.",
    )


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or _MEMORY.search(str(error)) is not None


def check_version(distribution: str, found: str) -> None:
    """Raise the refusal where an engine is not of a version that was tried."""
    tried = TRIED[distribution]
    if not found.startswith(f"{tried}."):
        raise Unavailable(
            f"This Venom works with {distribution} {tried}, and {shown(found)} is installed.",
            code="engine_incompatible",
            fix="venom plugins install onnx",
        )


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
