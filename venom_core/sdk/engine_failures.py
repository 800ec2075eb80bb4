"""Turns what a Python engine's runtime raises into refusals: models that it cannot load, a lack of
memory, a version that was never tried. Used in the engine's process."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from venom_core.sdk.errors import Unavailable, VenomError
from venom_core.sdk.model_refusals import damaged, shown

_MEMORY = re.compile(
    r"bad_?alloc|bad allocation|failed to allocate|out of memory|cannot allocate|not enough memory",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\][^\s:'\"]+")


@contextlib.contextmanager
def load_errors(name: str, setting: str) -> Iterator[None]:
    """Turn what a runtime raises within the block into refusals, without its paths.

    Args:
        setting: the one with which the model takes less memory.
    """
    try:
        yield
    except VenomError:
        raise
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        raise load_failure(name, error, setting) from error


def load_failure(name: str, error: Exception, setting: str) -> VenomError:
    """Return the refusal that an error of the runtime stands for."""
    if _lacks_memory(error):
        return out_of_memory(name, setting)
    words = shown(_PATH.sub("(its file)", str(error)).strip().rstrip("."))
    return damaged(f"The engine cannot load the files of {name}: {words}.")


@contextlib.contextmanager
def memory_errors(name: str, setting: str) -> Iterator[None]:
    """Turn a lack of memory within the block into the refusal; any other error is raised as it
    is."""
    try:
        yield
    except Exception as error:
        if _lacks_memory(error):
            raise out_of_memory(name, setting) from error
        raise


def out_of_memory(name: str, setting: str) -> VenomError:
    """Return the refusal of a model for which there is not enough memory."""
    return Unavailable(
        f"There is not enough memory for {name}.",
        code="out_of_memory",
        fix="Choose a smaller model, stop one (venom ps, venom stop NAME), or set "
        f"{setting} lower.",
    )


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or _MEMORY.search(str(error)) is not None


def check_tried(distribution: str, found: str, tried: str, fix: str) -> None:
    """Raise the refusal where an engine is not of the version that was tried (``0.18``)."""
    if not found.startswith(f"{tried}."):
        raise Unavailable(
            f"This Venom works with {distribution} {tried}, and {shown(found)} is installed.",
            code="engine_incompatible",
            fix=fix,
        )
