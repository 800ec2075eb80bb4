"""Running a case of a client in JavaScript."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from venom_core.testing.deadlines import patience

MODULES = Path(__file__).parents[2] / ".cache" / "clients" / "js" / "node_modules"


def run(script: str, case: str, url: str, key: str, model: str) -> Any:
    """Return what a case of tests/clients/js/SCRIPT.cjs prints."""
    command = ["node", str(Path(__file__).with_name("js") / f"{script}.cjs"), case, url, key, model]
    done = subprocess.run(
        command, env={**os.environ, "NODE_PATH": str(MODULES)}, capture_output=True, text=True,
        timeout=patience(120), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
