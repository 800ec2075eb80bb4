"""`python -m tools.containers.lint`: Dockerfiles by hadolint, compose files by their schema."""

from __future__ import annotations

import subprocess
import sys

from tools.containers.programs import tools_environment
from tools.projects import ROOT

COMPOSE = ROOT / "compose"
DOCKERFILES = ("deploy/Dockerfile", "tests/e2e/containers/ollama/Dockerfile")


def main() -> int:
    programs = tools_environment()
    files = [str(path.relative_to(ROOT)) for path in sorted(COMPOSE.glob("*.yml"))]
    schema = ["--builtin-schema", "vendor.compose-spec"]
    commands = [
        [str(programs / "hadolint"), *DOCKERFILES],
        [str(programs / "check-jsonschema"), *schema, *files],
    ]
    codes = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
