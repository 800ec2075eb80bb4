"""The source files of a plugin that is being written: whether they changed, and how they leave
memory so that an import reads them anew."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Collection, Iterator
from importlib.machinery import PathFinder
from pathlib import Path

#: What a plugin's import and its sentences are read from.
SUFFIXES = (".py", ".toml")
MOST_FILES = 5_000

#: Path -> time of the last change in nanoseconds, and bytes.
Stamp = dict[str, tuple[int, int]]


def package_of(value: str) -> str:
    """Return the top package of an entry point's value."""
    return value.partition(":")[0].strip().partition(".")[0]


def stamp_of(package: str) -> Stamp:
    """Return the state of a package's source files; nothing of it is imported. Blocks."""
    found: Stamp = {}
    for path in _files(package):
        with contextlib.suppress(OSError):  # an editor puts a new file in its place just now
            status = path.stat()
            found[str(path)] = (status.st_mtime_ns, status.st_size)
        if len(found) >= MOST_FILES:
            break
    return found


def forget_modules(package: str, others: Collection[str]) -> None:
    """Take a package out of memory, unless another plugin is of it too.

    Its compiled files go as well: they tell of their source by its time in whole seconds and its
    size, and two saves within one second can have both alike.
    """
    if package in others or package in sys.stdlib_module_names or package == _CORE:
        return
    for name in [one for one in sys.modules if one == package or one.startswith(f"{package}.")]:
        module = sys.modules.pop(name)
        compiled = getattr(module, "__cached__", None)
        if isinstance(compiled, str):
            with contextlib.suppress(OSError):
                Path(compiled).unlink()


_CORE = __name__.partition(".")[0]


def _files(package: str) -> Iterator[Path]:
    importlib.invalidate_caches()
    try:
        spec = PathFinder.find_spec(package) or importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return
    if spec is None:
        return
    for place in spec.submodule_search_locations or ():
        for folder, names, files in os.walk(place):
            names[:] = [name for name in names if name != "__pycache__" and name[0] != "."]
            yield from (Path(folder, file) for file in files if file.endswith(SUFFIXES))
    if not spec.submodule_search_locations and spec.origin:
        yield Path(spec.origin)
