"""Metadata of installed distributions, as far as it can be read: some of what lies in a Python's
folders is damaged, and that is no reason to stop."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib_metadata import Distribution

UNKNOWN: Final = "unknown"


def text_of(distribution: Distribution, file: str) -> str:
    """Return a file of the metadata; what is no UTF-8 in it (an author's name) is replaced."""
    try:
        text = distribution.read_text(file)
    except UnicodeDecodeError as error:
        text = bytes(error.object).decode("utf-8", "replace")
    return (text or "").removeprefix("\ufeff")


def installed_one(
    same: Sequence[Distribution], version: Callable[[Distribution], str]
) -> Distribution:
    """Return, of several that have one name, the one that is installed: an earlier entry of
    ``sys.path`` shadows the later, for imports too. What an interrupted upgrade left beside it is
    damaged, or older."""
    whole = [one for one in same if version(one) != UNKNOWN] or list(same)
    folder = str(whole[0].locate_file(""))
    beside = [one for one in whole if str(one.locate_file("")) == folder]
    return max(beside, key=lambda one: [int(n) for n in re.findall(r"\d+", version(one))])


def module_version(module: str, distribution: str | None = None) -> str | None:
    """Return the version of an installed engine, found without importing it; None where there is
    none.

    Args:
        module: what is imported; distribution: what installs it, where that has another name.
    """
    importlib.invalidate_caches()
    if module not in sys.modules and importlib.util.find_spec(module) is None:
        return None
    from importlib.metadata import version

    try:
        return version(distribution or module) or UNKNOWN
    except Exception:  # its metadata is gone or damaged, and the engine is there
        return UNKNOWN
