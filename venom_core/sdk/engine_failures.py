"""Turns what an engine's runtime says into refusals: models that it cannot load, a lack of memory,
a version that was never tried. Used in the engine's process too, so of the standard library."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from venom_core.sdk.errors import Unavailable, VenomError
from venom_core.sdk.machine import this_machine
from venom_core.sdk.model_refusals import damaged, shown

_MEMORY = re.compile(
    r"bad_?alloc|bad allocation|failed to allocate|out of memory|cannot allocate|not enough memory",
    re.IGNORECASE,
)
#: As torch, ONNX Runtime and llama.cpp tell how much they asked for, and torch what a card has.
_WANTED = re.compile(
    r"(?:tried to allocate|buffer of size|allocating) ([\d.]+) ?([KMGT]iB|bytes)?", re.IGNORECASE
)
_CARD = re.compile(r"capacity of ([\d.]+) ([KMGT]iB) of which ([\d.]+) ([KMGT]iB) is free")
_UNITS = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
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
        return out_of_memory(name, setting, str(error))
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
            raise out_of_memory(name, setting, str(error)) from error
        raise


def out_of_memory(name: str, setting: str, words: str = "") -> VenomError:
    """Return the refusal of a model for which there is not enough memory, with the numbers that the
    runtime tells, else with what is free now.

    Args:
        setting: the one with which the model takes less.
        words: the runtime's.
    """
    return Unavailable(
        _lack(name, words),
        code="out_of_memory",
        fix="Choose a smaller model, stop one (venom ps, venom stop NAME), or set "
        f"{setting} lower.",
    )


def _lack(name: str, words: str) -> str:
    asked, card = _WANTED.search(words), _CARD.search(words)
    wanted = None if asked is None else _size(asked[1], asked[2] or "bytes")
    if wanted is not None and card is not None:
        total, free = _size(card[1], card[2]), _size(card[3], card[4])
        return (
            f"There is not enough memory for {name}: it asked for {wanted}, and the graphics card"
            f" has {free} of {total} free."
        )
    if wanted is not None:
        return f"There is not enough memory for {name}: it asked for {wanted} at once."
    try:
        machine = this_machine()
    except ImportError:  # an engine's own interpreter
        return f"There is not enough memory for {name}."
    left, all_of_it = _size(machine.memory_available_bytes), _size(machine.memory_total_bytes)
    return f"There is not enough memory for {name}: {left} of {all_of_it} are free now."


def _size(number: float | str, unit: str = "bytes") -> str:
    """Return a size for people, in GB, or in MB where it is less than one."""
    try:
        count = float(number) * _UNITS[unit.lower()]
    except ValueError:  # "1.2.3"
        count = 0.0
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


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
