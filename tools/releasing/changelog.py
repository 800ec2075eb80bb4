"""The changelog's entry of a release, which towncrier writes from the fragments of changelog.d/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.house import changelog
from tools.house.tree import Tree
from tools.releasing.release import Release
from tools.releasing.toolbox import ask, toolbox

README = "README.md"
NOTHING = "changelog.d holds no fragment: a release says what it changed (changelog.d/README.md)"


def fragments(root: Path) -> list[str]:
    """Return the names of the fragments that no entry has yet."""
    return sorted(path.name for path in (root / "changelog.d").glob("*.md") if path.name != README)


def entry(release: Release) -> Iterator[str]:
    """The newest entry is the tree's version, and every fragment has a name of its kind."""
    yield from changelog.check(Tree(release.root))


def collected(release: Release) -> Iterator[str]:
    """No fragment waits: what is handed out has its changes in the changelog."""
    if waiting := fragments(release.root):
        yield (
            f"changelog.d: {len(waiting)} fragments are in no entry of CHANGELOG.md, {waiting[0]}"
            f" the first; run `make bump VERSION=YYYY.M.PATCH`"
        )


def write(root: Path, version: str, day: str) -> None:
    """Move the fragments into a new entry.

    Raises:
        ValueError: there is none, or towncrier refused; the text says which.
    """
    if not fragments(root):
        raise ValueError(NOTHING)
    command = [str(toolbox() / "towncrier"), "build", "--yes", "--version", version, "--date", day]
    done = ask([*command, "--dir", str(root)], cwd=root)
    if done.returncode:
        raise ValueError(f"towncrier: {(done.stderr or done.stdout).strip()[-500:]}")
