"""The file of API keys that ``VENOM_API_KEY_FILE`` names: one key a line."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from venom_core.sdk.errors import StorageError
from venom_core.sdk.masking import keep_secret
from venom_core.sdk.text_files import UNREADABLE, read_text, unquoted

LEAST_CHARACTERS = 16


def read_key_file(path: Path) -> tuple[str, ...]:
    """Return the keys in a file; a line that begins with # is a comment, in any encoding. Raises
    ``StorageError``, with the line at fault, where one cannot be a key or there is none."""
    try:
        lines = read_text(path, errors="replace").splitlines()
    except OSError as error:
        raise _refused(
            f"The key file {path} cannot be read ({error.strerror}).",
            "Point VENOM_API_KEY_FILE at a readable file with one key a line.",
        ) from error
    written = {
        number: key
        for number, line in enumerate(lines, 1)
        if not line.lstrip().startswith("#") and (key := unquoted(line))
    }
    for number, key in written.items():
        if UNREADABLE in key:
            raise _unusable(path, number, "is not UTF-8 text")
        if len(key) < LEAST_CHARACTERS:
            raise _unusable(path, number, f"is shorter than {LEAST_CHARACTERS} characters")
    if not written:
        raise _refused(
            f"There is no key in the key file {path}.",
            f"Write one into it: openssl rand -hex 32 > {quote(str(path))}",
        )
    keys = tuple(written.values())
    keep_secret(*keys)
    return keys


def _unusable(path: Path, number: int, why: str) -> StorageError:
    return _refused(
        f"Line {number} of the key file {path} {why}.",
        f"Put another key into line {number} of {path}; this makes one: openssl rand -hex 32",
    )


def _refused(message: str, fix: str) -> StorageError:
    return StorageError(message, code="key_file_unreadable", fix=fix)
