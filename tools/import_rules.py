"""Run import-linter with the contracts of pyproject.toml over the core and every plugin.

import-linter wants each package by its name. Where a contract says "plugins/*" the plugins of the
checkout are put, so that a new one is under every rule from its first line. One more contract has
another view of the code, since a circle of imports that only the type checker sees is none.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import tomlkit

from tools.plugins import folders, packages
from tools.projects import ROOT

BIN = Path(sys.executable).parent
PLUGINS = "plugins/*"


def contracts(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return import-linter's options: those of pyproject.toml with the plugins' names in them, and
    those that find circles."""
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    rules = _named(table["tool"]["importlinter"], packages(root))
    circles = {
        "id": "no-circles",
        "name": "No modules import each other in a circle",
        "type": "acyclic_siblings",
        "ancestors": rules["root_packages"],
        # The kit puts a whole Venom on a stage, the command line too, and one command runs the kit.
        "ignore_imports": [
            "venom_core.cli.commands.plugins -> venom_core.testing.conformance.installed"
        ],
        "unmatched_ignore_imports_alerting": "none",
    }
    acyclic = {
        "root_packages": rules["root_packages"],
        "exclude_type_checking_imports": True,
        "contracts": [circles],
    }
    return rules, acyclic


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _named(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [one for item in value for one in _named_item(item, names)]
    return value


def _named_item(item: Any, names: list[str]) -> list[Any]:
    if isinstance(item, str) and PLUGINS in item:
        return [item.replace(PLUGINS, name) for name in names]
    return [_named(item, names)]


def main(root: Path = ROOT) -> int:
    """Return 0 where every contract is kept; the last line of the output counts them."""
    path = os.pathsep.join(map(str, (root, *folders(root))))
    folder = root / ".cache" / "import_rules"
    folder.mkdir(parents=True, exist_ok=True)
    kept, red = 0, False
    rules, circles = contracts(root)
    for name, options in {"rules": rules, "circles": circles}.items():
        config = folder / f"{name}.toml"
        config.write_text(tomlkit.dumps({"tool": {"importlinter": options}}), encoding="utf-8")
        # Its cache takes a file for unchanged that another view or list of packages has read.
        lint = [str(BIN / "lint-imports"), "--no-cache", "--no-logo", "--config", str(config)]
        done = subprocess.run(
            lint, cwd=root, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            red = True
            print(done.stdout + done.stderr)
        kept += done.stdout.count(" KEPT")
    layers = next(one["layers"] for one in rules["contracts"] if one["id"] == "layers")
    print(f"{len(layers)} layers, {kept} contracts kept")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
