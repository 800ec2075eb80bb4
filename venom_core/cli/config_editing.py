"""Editing ``config.toml`` by hand, checked before it is kept."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from venom_core.cli.terminal import ask, interactive, note
from venom_core.cli.wording import words
from venom_core.sdk.errors import Conflict, InvalidRequest, NotFound
from venom_core.settings.paths import Paths


def edit_file() -> bool:
    """Let a person edit the file and keep what can be used; return whether anything was changed.

    Raises:
        NotFound: ``editor_not_found``.
        VenomError: as :meth:`Settings.replace`; the file stays as it was.
    """
    # Imported here: pydantic is too slow for `config --help`.
    from venom_core.settings import file
    from venom_core.settings.layers import Settings

    settings = Settings.load(Paths.resolve(), os.environ)
    path = settings.paths.config_file
    was = file.content(settings.paths, path)
    with tempfile.TemporaryDirectory(prefix="venom-config-") as folder:
        draft = Path(folder) / path.name
        draft.write_bytes(was)
        while True:
            _open_editor(draft)
            text = draft.read_bytes()
            if text == was:
                return False
            try:
                settings.replace(text, was)
                return True
            except InvalidRequest as error:
                note(f"{words(error.message)} {words(error.fix or '')}")
                if not (interactive() and ask("Edit it again?", default=True)):
                    raise


def _open_editor(draft: Path) -> None:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    command = chosen or ("notepad" if sys.platform == "win32" else "vi")
    missing = NotFound(
        f"The editor {command} cannot be started.",
        code="editor_not_found",
        fix="Name one that is installed: EDITOR=nano venom config edit",
    )
    try:
        code = subprocess.run([*shlex.split(command), str(draft)], check=False).returncode
    except (OSError, ValueError) as error:
        raise missing from error
    if code != 0:
        raise Conflict(
            f"The editor ended with code {code}; nothing was changed.",
            code="editor_failed",
            fix="Edit it again: venom config edit",
        )
