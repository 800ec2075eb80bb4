"""`make test-lowest`: the tests that exercise our dependencies, against the oldest ones we allow.

The lower bounds in pyproject.toml are promises to whoever installs Venom beside other things. The
environment lives in .cache/lowest and is made again when a bound changes.
"""

from __future__ import annotations

import subprocess
import sys
import venv

from tools.lock import resolver
from tools.plugins import folders
from tools.projects import ROOT, direct_requirements

HOME = ROOT / ".cache" / "lowest"
PYTHON = HOME / "env" / "bin" / "python"
# pip is how the embedded engine fetches its models.
TOOLS = [
    *("pytest", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "hypothesis"),
    *("openai", "ollama", "pip"),
]
TESTS = [
    *(f"tests/unit/{folder}" for folder in ("api", "chat", "models", "settings", "store")),
    "tests/contract/openai",
    *(f"plugins/{folder.name}/tests" for folder in folders(ROOT)),
    # The engines themselves are pinned: there is no oldest one.
    *(f"--ignore-glob=plugins/*/tests/{folder}" for folder in ("integration", "engines")),
]


def main() -> int:
    prepare()
    # anyio's own pytest plugin, in the version that the oldest packages lead to, warns at import.
    command = [
        str(PYTHON),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:anyio",
        "-o",
        "cache_dir=.cache/lowest/x",
    ]
    return subprocess.run([*command, *sys.argv[1:], *TESTS], cwd=ROOT, check=False).returncode


def prepare() -> None:
    """Resolve to the lowest direct versions and install them, where that has not been done."""
    HOME.mkdir(parents=True, exist_ok=True)
    wanted = "\n".join(str(one) for one in direct_requirements(ROOT, "full"))
    stamp = HOME / "wanted.txt"
    made_of = "\n".join((wanted, *TOOLS, *(folder.name for folder in folders(ROOT))))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == made_of:
        return
    pip = [*resolver(), "pip"]
    pins = HOME / "pins.txt"
    lowest = ["--resolution", "lowest-direct", "--python-version", "3.11"]
    command = [*pip, "compile", "-", "--quiet", "--no-annotate", "--no-header", *lowest]
    subprocess.run([*command, "--output-file", str(pins)], input=wanted, text=True, check=True)
    venv.create(HOME / "env", with_pip=False, clear=True)
    into = [*pip, "install", "--quiet", "--python", str(PYTHON)]
    pinned = ["--requirement", str(pins), "--constraint", str(pins)]
    subprocess.run([*into, *pinned, *TOOLS], check=True)
    own = [word for folder in (ROOT, *folders(ROOT)) for word in ("--editable", str(folder))]
    subprocess.run([*into, "--no-deps", *own], check=True)
    stamp.write_text(made_of, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
