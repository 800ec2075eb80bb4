"""The built page and its mount."""

from pathlib import Path

#: The built page, which is not in git; the folder is missing or empty before `make ui`.
STATIC = Path(__file__).parent / "static"


def is_built(root: Path = STATIC) -> bool:
    """Return whether there is a page to serve."""
    return (root / "index.html").is_file()
