"""A first-party plugin that does nothing, and everything outside its folder that it needs."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from tools.house.tree import Tree
from tools.projects import ROOT, declared_version
from venom_core.testing.deadlines import patience

PACKAGE = "venom_planted"
FOLDER = f"plugins/{PACKAGE}"

PYPROJECT = f"""[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "venom-planted"
description = "A provider of Venom without models."
readme = "README.md"
dynamic = ["version"]
requires-python = ">=3.11"
dependencies = ["venom=={declared_version()}"]

[project.entry-points."venom.providers.v1"]
planted = "venom_planted.plugin"

[tool.hatch.version]
path = "../../venom_core/_version.py"

[tool.hatch.build]
dev-mode-dirs = ["."]

[tool.hatch.build.targets.wheel]
packages = ["venom_planted"]

[tool.hatch.build.targets.sdist]
only-include = ["venom_planted", "tests", "README.md", "pyproject.toml"]
"""
MANIFEST = '''"""The manifest: what is found without importing anything heavier."""

from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.spec import ProviderSpec


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="planted",
            title="Planted",
            summary="A provider without models.",
            factory="venom_planted.provider:PlantedProvider",
            capabilities=frozenset(),
        )
    ]
'''
PROVIDER = '''"""A provider that is ready and has no models."""

from __future__ import annotations

from collections.abc import Sequence

from venom_core.sdk.provider import Model, Provider
from venom_core.sdk.states import Health, ProviderStatus


class PlantedProvider(Provider):
    """The least that a provider has to have."""

    async def health(self) -> Health:
        return Health(ProviderStatus.READY)

    async def models(self) -> Sequence[Model]:
        return ()
'''
CATALOGUE = '"A provider without models." = "Dostawca bez modeli."\n'
TEST = '''"""The manifest declares one provider."""

from __future__ import annotations

from venom_planted.plugin import venom_providers


def test_its_name() -> None:
    assert [spec.name for spec in venom_providers()] == ["planted"]
'''
OWN = {
    f"{FOLDER}/README.md": "# venom-planted\n\nA provider of Venom without models.\n",
    f"{FOLDER}/pyproject.toml": PYPROJECT,
    f"{FOLDER}/tests/test_plugin.py": TEST,
    f"{FOLDER}/{PACKAGE}/__init__.py": '"""A provider of Venom without models."""\n',
    f"{FOLDER}/{PACKAGE}/plugin.py": MANIFEST,
    f"{FOLDER}/{PACKAGE}/provider.py": PROVIDER,
    f"{FOLDER}/{PACKAGE}/py.typed": "",
    f"{FOLDER}/{PACKAGE}/sentences.pl.toml": CATALOGUE,
    "docs/providers/planted.md": "# Planted\n\nThe plugin `venom-planted`. It has no models.\n",
    "docs/pl/providers/planted.md": "# Planted\n\nWtyczka `venom-planted`. Nie ma modeli.\n",
}
PIN = f'"venom-planted=={declared_version()}"'
#: Lines of files that are there: what stands in one of them, and what it becomes.
LISTED = {
    "pyproject.toml": {
        f'hf = ["venom-hf=={declared_version()}"]\n': f"{{}}planted = [{PIN}]\n",
        f'  "venom-hf=={declared_version()}",\n': f"{{}}  {PIN},\n",
    },
    "README.md": {"| Hugging Face: ": "| no model | `planted` | nothing to run |\n{}"},
    "README_PL.md": {"| Hugging Face: ": "| żaden model | `planted` | nic do uruchomienia |\n{}"},
    "docs/index.md": {"(providers/hf.md)": "{}, [Planted](providers/planted.md)"},
    "docs/pl/index.md": {"(providers/hf.md)": "{}, [Planted](providers/planted.md)"},
    "docs/nav.toml": {'  "providers/hf",\n': '{}  "providers/planted",\n'},
    "docs/install.md": {"`remote`, `hf`": "{}, `planted`"},
    "docs/pl/install.md": {"`remote`, `hf`": "{}, `planted`"},
    "docs/plugins.md": {"`remote`, `hf`": "{}, `planted`"},
    "docs/pl/plugins.md": {"`remote`, `hf`": "{}, `planted`"},
    "docs/tutorials/your-first-provider.md": {"`remote`": "{}, `planted`"},
    "docs/pl/tutorials/your-first-provider.md": {"`remote`": "{}, `planted`"},
}


def checkout(folder: Path) -> Path:
    """Copy the working tree to a folder, as a repository of its own with all of it committed."""
    for name in Tree(ROOT).files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "As it is")
    # What the type checker knows of the same files saves most of its time; another run of it may be
    # writing there.
    with contextlib.suppress(OSError):
        shutil.copytree(ROOT / ".cache" / "mypy", folder / ".cache" / "mypy")
    return folder


def git(folder: Path, *words: str) -> str:
    """Run git in a repository, as nobody, and return what it says."""
    settings = ("user.name=nobody", "user.email=nobody@localhost", "commit.gpgsign=false")
    command = ["git", *(word for one in settings for word in ("-c", one)), *words]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=patience(60), check=True
    )
    return done.stdout


def plant(folder: Path) -> None:
    """Add the plugin to a checkout."""
    for name, text in OWN.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, changes in LISTED.items():
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for before, after in changes.items():
            assert before in text, f"{name}: nothing to put the plugin beside: {before!r}"
            text = text.replace(before, after.format(before), 1)
        path.write_text(text, encoding="utf-8")
