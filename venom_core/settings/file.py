"""``config.toml``: read with the standard library, changed with tomlkit so that comments stay."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from venom_core.sdk.disk import write_file
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.spec import SettingValue
from venom_core.sdk.text_files import not_text, read_text
from venom_core.settings.changes import put
from venom_core.settings.paths import Paths


def read(path: Path) -> dict[str, Any]:
    """Return the file's tables; ``{}`` where there is none.

    Raises:
        InvalidRequest: ``invalid_config_file``, with the line where it breaks.
    """
    try:
        text = read_text(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _invalid(path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        fix = f"Save {path} as UTF-8 in an editor, or move it away to start from the defaults."
        raise _invalid(path, not_text(error), fix) from error
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at (line \d+, column \d+|end of document)", str(error))
        where = place.group(1) if place else "an unknown line"
        raise _invalid(path, f"is not valid TOML at {where}") from error


def change(paths: Paths, updates: Mapping[str, SettingValue], after: Mapping[str, Any]) -> None:
    """Write values at ``table.key`` and put the result in its place in one step; None removes one.

    Comments stay. A link keeps pointing at the file it names; the file's mode stays, a new one is
    owner-only.

    Args:
        after: what the file holds then; anything else is not written.

    Raises:
        StorageError: ``home_not_writable``.
        InvalidRequest: ``invalid_config_file``.
    """
    import tomllib

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    paths.make(paths.home)
    target = Path(os.path.realpath(paths.config_file))
    try:
        document = tomlkit.parse(read_text(target) if target.exists() else "")
        for key, value in updates.items():
            put(document, key, value)
        text = tomlkit.dumps(document)
        if tomllib.loads(text) != after:
            raise ValueError("another content")
    except (TOMLKitError, ValueError, KeyError, TypeError) as error:
        raise _invalid(
            paths.config_file,
            "is written in a form that cannot be changed here",
            f"Change {paths.config_file} by hand.",
        ) from error
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        write_file(target, text, mode=mode, durable=True)
    except OSError as error:
        raise paths.not_writable(error) from error


def _invalid(path: Path, what: str, fix: str | None = None) -> InvalidRequest:
    return InvalidRequest(
        f"The configuration file {path} {what}.",
        fix=fix or f"Correct {path}, or move it away to start from the defaults.",
        code="invalid_config_file",
    )
