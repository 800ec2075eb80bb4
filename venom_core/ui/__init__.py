"""The built page and its mount."""

from pathlib import Path

#: The built page, which is not in git; the folder is missing or empty before `make ui`.
STATIC = Path(__file__).parent / "static"
