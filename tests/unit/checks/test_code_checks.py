"""Each rule about code: a tree that keeps it is green, one that breaks it is red and says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.checks.planting import Plant
from tools.house import (
    circles,
    dependencies,
    docstrings,
    honesty,
    imports,
    shape,
    sitting,
    traces,
)
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


def test_sitting(plant: Plant) -> None:
    way = {sitting.FOLDER + name: "x = 1\n" * 100 for name in sitting.WAY}
    beside = {f"{sitting.FOLDER}doctor.py": "x = 1\n" * 500}
    assert sitting.check(plant({**way, **beside})) == []
    assert sitting.figure(plant({})).startswith("600 lines from discovery")
    gates = f"{sitting.FOLDER}gates.py"
    (long,) = sitting.check(plant({gates: "x = 1\n" * (sitting.LONGEST - 499)}))
    assert f"{sitting.LONGEST + 1:,} lines" in long
    (unsaid,) = sitting.check(plant({gates: "", f"{sitting.FOLDER}more.py": ""}))
    assert "more.py: say in" in unsaid


def test_sitting_notices_what_moved(plant: Plant) -> None:
    (gone,) = sitting.check(
        plant({sitting.FOLDER + name: "" for name in sitting.WAY if name != "gates.py"})
    )
    assert "gates.py: on the way" in gone


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
        "import pytest\ndef test():\n    pytest." + "skip()\n",
        "import pytest\n@pytest.mark." + "skip\ndef test():\n    f()\n",
        "import pytest\n@pytest.mark." + "skip()\ndef test():\n    f()\n",
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


@pytest.mark.parametrize("word", ["What", "Who", "Where", "Which", "How"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("venom_core/a.py", '"""{} stands here."""\n'),
        ("plugins/venom_a/venom_a/a.py", 'class _A:\n    """{} it is."""\n'),
        ("tools/a.py", 'async def _f():\n    """{} it goes."""\n'),
    ],
)
def test_docstrings(plant: Plant, word: str, name: str, text: str) -> None:
    kept = '"""Whether it is: Howard and Whatever."""\ndef f():\n    """Return what is there."""\n'
    outside = {"web/a.py": '"""What a page says."""\n'}
    assert docstrings.check(plant({"venom_core/kept.py": kept, **outside})) == []
    tree = plant({name: text.format(word)})
    (problem,) = docstrings.check(tree)
    assert problem.startswith(f"{name}:1: a docstring opens with a question's word")
    assert docstrings.figure(tree) == "1 of 3 docstrings open with a question's word"


def test_figures_of_shape(plant: Plant) -> None:
    files = {"a.py": "x\n" * 9, "web/b.ts": "x;\n" * 3, "c.sh": "\n", "d.md": "x\n" * 99}
    assert shape.figure(plant(files)) == "largest a.py: 9 lines; median 3"


PAGE = {
    "web/lib/a.ts": 'import { b } from "./b";\nimport type { C } from "./c";\n',
    "web/lib/b.ts": 'export * from "@/lib/c";\nimport "react";\n',
    "web/lib/c.ts": 'import type { A } from "./a";\nexport type { B } from "./b";\n',
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("web/lib/c.ts", 'import { a } from "./a";\n'),
        ("web/lib/c.ts", 'import {\n  a,\n  type A,\n} from "@/lib/a";\n'),
        ("web/lib/c.ts", 'const late = () => import("../lib/a");\n'),
        ("web/lib/c.ts", 'export { a } from "./a";\n'),
        ("web/lib/c.ts", 'import "./a";\n'),
        ("web/lib/b.ts", 'import { a } from "./a";\n'),
        ("web/lib/a.ts", 'import { a } from "./a";\n'),
    ],
)
def test_circles(plant: Plant, name: str, text: str) -> None:
    assert circles.check(plant(PAGE)) == []
    (problem,) = circles.check(plant({name: text}))
    assert ": imports itself: " in problem
    assert name in problem


def test_two_circles_are_two_problems(plant: Plant) -> None:
    both = {f"web/{name}.ts": f'import x from "./{other}";' for name, other in ("ab", "ba")}
    also = {f"web/{name}.tsx": f'import x from "./{other}";' for name, other in ("cd", "dc")}
    assert len(circles.check(plant({**both, **also}))) == 2


def test_a_check_that_finds_something_fails_the_run(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = plant({"venom_core/misc.py": ""})
    assert main(["shape", "--root", str(tree.root)]) == 1
    out = capsys.readouterr().out
    assert "venom_core/misc.py" in out
    assert "largest venom_core/misc.py: 0 lines; median 0" in out
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
        if "\ndef check(" in path.read_text(encoding="utf-8")
    }
    assert written == set(CHECKS)
