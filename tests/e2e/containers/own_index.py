"""This machine's settings of pip, for a container: an index, and certificates to trust."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

# Read at import: each test runs with a home and an environment of its own.
SURROUNDINGS = dict(os.environ)


@functools.cache
def settings() -> dict[str, str]:
    """Return what its files and the environment set, as variables."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    said = subprocess.run(
        command, env=SURROUNDINGS, capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"^(?:global|:env:)\.([a-z-]+)=(.*)$", said, re.MULTILINE)
    return {f"PIP_{name.upper().replace('-', '_')}": ast.literal_eval(v) for name, v in found}


def volumes() -> list[str]:
    """Return mounts, read-only, of what the settings name on this disk."""
    named = re.findall(r"(?:^|\s|file://)(/\S+)", " ".join(settings().values()))
    return [f"{path}:{path}:ro" for path in sorted(set(named)) if Path(path).exists()]
