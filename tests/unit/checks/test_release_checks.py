"""One version everywhere: the check that sees a stray pin, and the bump that rewrites them all."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from tests.unit.checks.planting import Plant
from tools.house import lockstep
from tools.house.tree import Tree
from tools.plugins import distribution
from tools.projects import APART, DEV_TOOLS
from tools.releasing.version import bump

PLUGINS = ("venom_ollama", "venom_llamacpp", "venom_remote", "venom_hf")
HASH = "    --hash=sha256:" + "0" * 64


def _pinned(name: str) -> str:
    engine = "[engine]" if name == "venom_llamacpp" else ""
    return f'"{distribution(name)}{engine}==2026.11.0"'


def release(plant: Plant, **changed: str) -> Tree:
    """A whole small release; each argument replaces a file, `__` for `/` and `_t` for `.t`."""
    files = {
        "venom_core/_version.py": '__version__ = "2026.11.0"\n',
        "pyproject.toml": (
            '[project]\nname = "venom"\ndynamic = ["version"]\ndependencies = ["httpx>=1.2"]\n'
            "[project.optional-dependencies]\n"
            'light = ["venom-ollama==2026.11.0"]\n'
            'embedded = ["venom-ollama==2026.11.0", "venom-llamacpp[engine]==2026.11.0"]\n'
            f"full = [{', '.join(map(_pinned, PLUGINS))}]\ntesting = ['pytest>=8']\n"
            + "".join(f"{name[6:]} = [{_pinned(name)}]\n" for name in PLUGINS)
        ),
    }
    for name in PLUGINS:
        files[f"plugins/{name}/pyproject.toml"] = (
            f'[project]\nname = "{distribution(name)}"\ndynamic = ["version"]\n'
            'dependencies = ["venom==2026.11.0"]\n'
            '[project.optional-dependencies]\nengine = ["xllamacpp==1.0"]\n'
            '[tool.hatch.version]\npath = "../../venom_core/_version.py"\n'
        )
    locks = {
        "light": ["httpx"],
        "embedded": ["httpx", "xllamacpp"],
        "full": ["httpx", "xllamacpp"],
        "dev": ["httpx", "xllamacpp", *DEV_TOOLS],
        "build": ["hatchling", "editables"],
        **{lock: [Requirement(one).name for one in texts] for lock, texts in APART.items()},
    }
    versions = {"xllamacpp": "1.0", "httpx": "1.3", "pytest": "9.0", "hatchling": "2"}
    for lock, names in locks.items():
        lines = [f"{name}=={versions.get(name, '1')} \\\n{HASH}\n" for name in names]
        files[f"requirements/{lock}.txt"] = "".join(lines)
    # An environment apart may have another version of what the others have.
    files["requirements/clients.txt"] += f"httpx==9 \\\n{HASH}\n"
    return plant({**files, **changed})


def test_a_release_in_lockstep(plant: Plant) -> None:
    assert lockstep.check(release(plant)) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("venom_core/_version.py", "2026.11.0", "1.0.0", "no CalVer"),
        ("venom_core/_version.py", "2026.11.0", "2026.12.0", "'venom-ollama==2026.11.0'"),
        ("pyproject.toml", "engine]==2026.11.0", "engine]>=2026.11.0", "not pinned"),
        ("pyproject.toml", 'dynamic = ["version"]', 'version = "2026.11.0"', "not written here"),
        ("plugins/venom_remote/pyproject.toml", "venom==2026.11.0", "venom", "not pinned"),
        ("plugins/venom_remote/pyproject.toml", '["venom==2026.11.0"]', "[]", "does not require"),
        ("plugins/venom_remote/pyproject.toml", "_version.py", "_own.py", "_core/_own.py' and not"),
        ("pyproject.toml", "httpx>=1.2", "httpx>=1.4", "does not satisfy"),
        ("pyproject.toml", '"httpx>=1.2"', '"httpx>=1.2", "rich"', "rich is required and not"),
        ("requirements/embedded.txt", "httpx==1.3", "httpx==1.5", "httpx==1.5, but 1.3 in"),
        ("requirements/clients.txt", "openai==1", "other==1", "openai is required and not locked"),
        ("requirements/clients.txt", "litellm==1", "litellm==1.107.0", "does not satisfy"),
        ("plugins/venom_llamacpp/pyproject.toml", "xllamacpp==1.0", "xllamacpp==2", "==1.0 does"),
    ],
)
def test_out_of_step(plant: Plant, name: str, before: str, after: str, said: str) -> None:
    text = release(plant).text(name)
    assert before in text
    problems = lockstep.check(plant({name: text.replace(before, after)}))
    assert any(said in problem for problem in problems), problems


def test_a_missing_file_is_named(plant: Plant) -> None:
    tree = release(plant)
    (tree.root / "requirements" / "embedded.txt").unlink()
    assert lockstep.check(Tree(tree.root)) == [
        "requirements/embedded.txt: missing; run `make lock`"
    ]
    (tree.root / "plugins" / "venom_remote" / "pyproject.toml").unlink()
    (problem,) = lockstep.check(Tree(tree.root))
    assert "plugins/venom_remote/pyproject.toml: missing" in problem


def test_a_plugin_outside_the_release(plant: Plant) -> None:
    text = release(plant).text("plugins/venom_remote/pyproject.toml").replace("-remote", "-new")
    tree = plant({"plugins/venom_new/pyproject.toml": text})
    for extra, problem in zip(("new", "full"), lockstep.check(tree), strict=True):
        assert f"plugins/venom_new: not listed in the extra {extra!r}" in problem
    (both, *_) = lockstep.check(plant({"plugins/venom_new/pyproject.toml": ""}))
    assert "plugins/venom_new: not listed" in both


def test_bump_moves_everything(plant: Plant) -> None:
    tree = release(plant)
    plant({"requirements/files/requirements.txt": "venom[full]==2026.11.0\n"})
    changed = bump(tree.root, "2026.12.1")
    assert len(changed) == 3 + len(PLUGINS)
    assert lockstep.check(Tree(tree.root)) == []
    assert "2026.11.0" not in "".join(tree.text(name) for name in changed)
    for bad in ("2026.12.1", "2026.11.9", "2026.13.0", "1.2", ""):
        with pytest.raises(ValueError, match=r"CalVer|above"):
            bump(tree.root, bad)
