"""Each rule about code: a tree that keeps it is green, one that breaks it is red and says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.checks.planting import Plant
from tools.house import dependencies, honesty, imports, shape, traces
from tools.house.__main__ import main
from tools.house.registry import CHECKS
from tools.house.tree import Tree

PIPES = "noqa: TID" + "253"
INDEX = "files.pypi" + ".org"
PYPROJECT = '[project]\ndependencies = ["httpx>=1", "uvloop"]\n'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("venom_core/a.py", "x = 1\n" * 501, "501 lines"),
        ("web/app/page.tsx", "x;\n" * 501, "501 lines"),
        ("venom_core/utils.py", "", "'utils' says nothing"),
        ("web/lib/helpers/a.ts", "", "'helpers' says nothing"),
    ],
)
def test_shape(plant: Plant, name: str, text: str, said: str) -> None:
    assert shape.check(plant({"venom_core/model.py": "x = 1\n" * 500})) == []
    (problem,) = shape.check(plant({name: text}))
    assert name in problem
    assert said in problem


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("plugins/venom_a/venom_a/plugin.py", "import httpx\n", ":1: a manifest imports"),
        ("plugins/venom_a/venom_a/plugin.py", "try:\n    import numpy\nexcept E:\n    x\n", ":2:"),
        ("plugins/venom_a/venom_a/plugin.py", "from venom_core.chat import x\n", "venom_core.chat"),
        (
            "plugins/venom_a/tests/test_a.py",
            "def f():\n    import venom_core.plugins.host\n",
            ":2:",
        ),
        ("venom_core/engine.py", f"import torch  # {PIPES}\n", "never excused"),
    ],
)
def test_imports(plant: Plant, name: str, text: str, said: str) -> None:
    kept = {
        "plugins/venom_b/venom_b/plugin.py": (
            "import json\nfrom venom_core.sdk import hookimpl\ndef f():\n    import httpx\n"
        ),
        "plugins/venom_b/tests/sub/test_b.py": (
            "import httpx\nfrom venom_core.testing import kit\nfrom venom_core.sdk import spec\n"
        ),
    }
    assert imports.check(plant(kept)) == []
    (problem,) = imports.check(plant({name: text}))
    assert name in problem
    assert said in problem


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    f()\nexcept Exception:\n    pass\n",
        "try:\n    f()\nexcept (OSError, BaseException):\n    ...\n",
        "try:\n    f()\nexcept:\n    'quiet'\n",
        "for x in y:\n    try:\n        f()\n    except Exception:\n        continue\n",
        "import contextlib\nwith contextlib.suppress(Exception):\n    f()\n",
        "import pytest\ndef test():\n    pytest.skip()\n",
        "import pytest\n@pytest.mark.skip\ndef test():\n    f()\n",
        "import pytest\n@pytest.mark.skip()\ndef test():\n    f()\n",
    ],
)
def test_honesty(plant: Plant, text: str) -> None:
    kept = (
        "try:\n    f()\nexcept OSError:\n    pass\n"
        "try:\n    f()\nexcept Exception as error:\n    log(error)\n"
        "import pytest\npytest.skip('no browser')\n"
    )
    assert honesty.check(plant({"tests/kept.py": kept})) == []
    (problem,) = honesty.check(plant({"tests/broken.py": text}))
    assert problem.startswith("tests/broken.py:")


@pytest.mark.parametrize(
    "text",
    [
        f"https://{INDEX}/simple",
        "cd /" + "root/venom",
        "cd /home/" + "ann/venom",
        "read ../" + "shared/design.md",
        "in our work" + "place",
    ],
)
def test_traces(plant: Plant, text: str) -> None:
    kept = "~/.venom, /usr/bin/chromium, /home/you/models, /api/v1/work/x, https://ollama.com\n"
    assert traces.check(plant({"docs/kept.md": kept})) == []
    (problem,) = traces.check(plant({"docs/broken.md": f"one\n{text}\n"}))
    assert problem.startswith("docs/broken.md:2: ")


def test_traces_of_this_checkout(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    """The first folder of wherever the tree stands is a path of one machine."""
    monkeypatch.setattr(Path, "resolve", lambda path: Path("/checkouts/venom"))
    tree = plant({"docs/a.md": "see /checkouts/" + "venom/x and https://x.org/checkouts/\n"})
    (problem,) = traces.check(tree)
    assert "'/checkouts/'" in problem


def test_dependencies(plant: Plant) -> None:
    uses = {"venom_core/a.py": "def f():\n    import httpx.x\nimport json\n"}
    assert dependencies.check(plant({"pyproject.toml": PYPROJECT, **uses})) == []
    (undeclared,) = dependencies.check(plant({"venom_core/b.py": "import click\n"}))
    assert "venom_core/b.py:1: imports click" in undeclared
    plant({"venom_core/b.py": "", "pyproject.toml": PYPROJECT.replace('"uvloop"', '"rich>=1"')})
    (unused,) = dependencies.check(plant({}))
    assert "rich is declared and never imported" in unused


def test_a_check_that_finds_something_fails_the_run(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = plant({"venom_core/misc.py": ""})
    assert main(["shape", "--root", str(tree.root)]) == 1
    assert "venom_core/misc.py" in capsys.readouterr().out
    assert main(["honesty", "--root", str(tree.root)]) == 0
    assert main(["no-such-check"]) == 2


def test_what_git_ignores_is_not_checked(tmp_path: Path) -> None:
    import subprocess

    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("built/\n", encoding="utf-8")
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "utils.py").write_text("", encoding="utf-8")
    (tmp_path / "new.py").write_text("", encoding="utf-8")
    assert Tree(tmp_path).files == [".gitignore", "new.py"]


def test_every_check_module_runs() -> None:
    """A check that is written and not registered would never be red."""
    folder = Path(shape.__file__).parent
    written = {
        path.stem
        for path in folder.glob("*.py")
        if "def check(" in path.read_text(encoding="utf-8")
    }
    assert written == set(CHECKS)
