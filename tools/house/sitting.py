"""The way from what is installed to an opened provider is read in one sitting.

It is the modules that ``PluginHost.provider(name)`` is led through: found, judged, held, loaded,
opened. Not counted is what they call and a reader takes at its word: names and how they are looked
up, reasons, what a declaration must be, the crash marker, captured output, running foreign code;
and what comes after the way: the guard around a provider at work, records, commands, watching, the
doctor.
"""

from __future__ import annotations

from tools.house.tree import Tree

FOLDER = "venom_core/plugins/"
WAY = ("discovery.py", "gates.py", "installed.py", "loaded.py", "loader.py", "providers.py")
#: What else may lie in the folder: called on the way, or beside it.
BESIDE = frozenset(
    {
        "__init__.py", "access.py", "border.py", "breaches.py", "captured_output.py",
        "directory.py", "doctor.py", "editable.py", "engine_packages.py", "faults.py",
        "frame_law.py", "guarded.py", "guarded_streams.py", "host.py", "isolation.py",
        "letting_go.py", "load_failures.py", "markers.py", "names.py", "observers.py",
        "provider_state.py", "reasons.py", "records.py", "source_watch.py", "sources.py",
        "validation.py", "watchdog.py",
    }
)  # fmt: skip
LONGEST = 1_100


def check(tree: Tree) -> list[str]:
    here = {name.removeprefix(FOLDER) for name in tree.matching(".py") if name.startswith(FOLDER)}
    if not here:
        return []
    problems = [
        f"{FOLDER}{name}: on the way to an opened provider and not there; did it move?"
        for name in WAY
        if name not in here
    ]
    problems += [
        f"{FOLDER}{name}: say in tools/house/sitting.py whether it is on the way to an opened"
        " provider or beside it"
        for name in sorted(here - BESIDE - set(WAY))
    ]
    if (lines := _lines(tree)) > LONGEST:
        problems.append(
            f"{FOLDER}: {lines:,} lines from discovery to an opened provider, {LONGEST:,} at most;"
            " move out what is not on the way"
        )
    return problems


def figure(tree: Tree) -> str:
    """Return the lines of the way."""
    return f"{_lines(tree):,} lines from discovery to an opened provider, {LONGEST:,} at most"


def _lines(tree: Tree) -> int:
    way = {FOLDER + name for name in WAY}
    return sum(tree.text(name).count("\n") for name in tree.matching(".py") if name in way)
