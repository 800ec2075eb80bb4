"""``config.toml``, and ``secrets.toml`` with the secrets: read with the standard library, changed
with tomlkit so that comments stay.

A change of one file is the replacing of it. One of both is first written whole into a third, which
is the moment from which it counts: whoever reads meets the old state or the new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from venom_core.sdk.disk import write_file
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.spec import SettingValue
from venom_core.sdk.text_files import decoded, not_text
from venom_core.settings.changes import differing, put
from venom_core.settings.paths import Paths

#: Holds a change of both files, by their names, until each has got its part.
PENDING = "config.pending.json"
#: A larger one is none that people write.
MAX_BYTES = 4 * 1024 * 1024


def read(paths: Paths, path: Path) -> dict[str, Any]:
    """Return the tables of one of the two files; ``{}`` where there is none.

    Raises:
        InvalidRequest: ``invalid_config_file``, with the line where it breaks.
    """
    return tables_of(content(paths, path), path)


def content(paths: Paths, path: Path) -> bytes:
    """Return what one of the two files holds, with a change that a kill broke off in it. Raises
    ``InvalidRequest``."""
    found = _content(path)
    part = _pending(paths).get(path.name)
    # Somebody who edits the file by hand after the kill has the last word.
    return part["text"].encode() if part and part["was"] == _digest(found) else found


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _invalid(path, f"is larger than {MAX_BYTES} bytes")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise _invalid(path, f"cannot be read ({error.strerror})") from error


def tables_of(data: bytes, path: Path) -> dict[str, Any]:
    """Return the tables in the bytes of a file. Raises ``InvalidRequest``
    (``invalid_config_file``), naming ``path``."""
    import tomllib

    try:
        return tomllib.loads(decoded(data))
    except UnicodeDecodeError as error:
        fix = f"Save {path} as UTF-8 in an editor, or move it away to start from the defaults."
        raise _invalid(path, not_text(error), fix) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at (line \d+, column \d+|end of document)", str(error))
        where = place.group(1) if place else "an unknown line"
        raise _invalid(path, f"is not valid TOML at {where}") from error
    except RecursionError as error:
        raise _invalid(path, "holds too many values within values") from error


def changed(
    paths: Paths, path: Path, updates: Mapping[str, SettingValue], after: dict[str, Any]
) -> str:
    """Return the text of a file with values put at ``table.key``; None removes one. Comments stay.

    Args:
        after: what the file holds then; anything else is not written.

    Raises:
        InvalidRequest: ``invalid_config_file``.
    """
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(decoded(content(paths, path)))
        for key, value in updates.items():
            put(document, key, value)
        text = tomlkit.dumps(document)
        if differing(tomllib.loads(text), after):
            raise ValueError("another content")
    except (TOMLKitError, ValueError, KeyError, TypeError) as error:
        raise _invalid(
            path, "is written in a form that cannot be changed here", f"Change {path} by hand."
        ) from error
    return text


def commit(paths: Paths, texts: Mapping[Path, str | bytes]) -> None:
    """Put one or both files in place: a kill in between leaves all of them or none.

    Raises ``StorageError``, and ``InvalidRequest`` where one cannot be read.
    """
    paths.make(paths.home)
    try:
        if len(texts) == 1:
            for path, text in texts.items():
                _replace(paths, path, text)
        elif texts:
            parts = {
                path.name: {
                    "was": _digest(_content(path)),
                    "text": decoded(text) if isinstance(text, bytes) else text,
                }
                for path, text in texts.items()
            }
            write_file(paths.home / PENDING, json.dumps(parts), durable=True)
            complete(paths)
    except OSError as error:
        raise paths.not_writable(error) from error


def complete(paths: Paths) -> None:
    """Put in place what a change of both files left to do when it was broken off. Raises
    ``OSError``; for whoever holds the lock."""
    for name, part in _pending(paths).items():
        path = paths.home / name
        if _digest(_content(path)) == part["was"]:
            _replace(paths, path, part["text"])
    (paths.home / PENDING).unlink(missing_ok=True)


def _pending(paths: Paths) -> dict[str, dict[str, str]]:
    """Return the parts of a change that was broken off: the new text, and the digest of what the
    file held before."""
    with contextlib.suppress(OSError, ValueError, RecursionError, TypeError, KeyError):
        found = json.loads((paths.home / PENDING).read_bytes())
        names = (paths.config_file.name, paths.secrets_file.name)
        return {
            name: {"was": str(found[name]["was"]), "text": str(found[name]["text"])}
            for name in names
            if name in found
        }
    return {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _replace(paths: Paths, path: Path, text: str | bytes) -> None:
    """Write one file. A link keeps pointing at the file it names; the file's mode stays, a new one
    is owner-only, and so is the one with the secrets whatever it was."""
    target = Path(os.path.realpath(path))
    keeps = target.exists() and path != paths.secrets_file
    write_file(target, text, mode=target.stat().st_mode & 0o777 if keeps else 0o600, durable=True)


def _invalid(path: Path, what: str, fix: str | None = None) -> InvalidRequest:
    return InvalidRequest(
        f"The configuration file {path} {what}.",
        fix=fix or f"Correct {path}, or move it away to start from the defaults.",
        code="invalid_config_file",
    )
