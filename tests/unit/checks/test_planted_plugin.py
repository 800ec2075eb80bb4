"""A new plugin of the release is under every rule, and needs no line outside its own things."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.checks.planted import (
    FOLDER,
    LISTED,
    MANIFEST,
    OWN,
    PACKAGE,
    checkout,
    git,
    plant,
)
from tools.check import CHECKERS
from tools.house.registry import CHECKS
from tools.house.tree import Tree
from tools.plugins import packages
from tools.projects import ROOT, direct_requirements
from venom_core.plugins import names
from venom_core.testing.deadlines import patience

# The checkers read the whole tree each time: minutes of a processor.
pytestmark = [pytest.mark.timeout(300), pytest.mark.install]
SOURCES = f"{FOLDER}/{PACKAGE}"
PROJECT = f"{FOLDER}/pyproject.toml"
Changes = dict[str, str | tuple[str, str] | None]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working tree with the well-behaved plugin in it."""
    folder = checkout(tmp_path_factory.mktemp("planted"))
    plant(folder)
    return folder


def gates(folder: Path, *which: str) -> subprocess.CompletedProcess[str]:
    """Run `make check` there, or some of its checkers."""
    command = [sys.executable, "-m", "tools.check", *which]
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=patience(280), check=False,
    )  # fmt: skip


def types(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Run the type checker there over the plugin alone, or files of it, of all that it is set up to
    look at: the rest is as it is here, and `make check` looks at that."""
    settings = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    found = {path for pattern in settings["mypy"]["files"] for path in folder.glob(pattern)}
    own = [str(path) for path in found if path.is_relative_to(folder / FOLDER)]
    assert own == [str(folder / SOURCES)]
    return subprocess.run(
        [*CHECKERS["mypy"], *(names or [SOURCES])], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=patience(280), check=False,
    )  # fmt: skip


@contextlib.contextmanager
def changed(folder: Path, changes: Changes, before: Tree | None = None) -> Iterator[Tree]:
    """A tree with other files: a text, a replacement inside of it, or None for no such file."""
    texts = {name: _text(folder / name) for name in changes}
    try:
        for name, change in changes.items():
            if isinstance(change, tuple):
                text = texts[name]
                assert text is not None
                assert change[0] in text, f"{name} has no {change[0]!r}"
                _write(folder / name, text.replace(*change))
            else:
                _write(folder / name, change)
        yield Tree(folder, before, changes)
    finally:
        for name, text in texts.items():
            _write(folder / name, text)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_well_behaved_plugin_passes_every_gate(planted: Path) -> None:
    typed = types(planted)
    assert typed.returncode == 0, typed.stdout
    done = gates(planted, *(name for name in CHECKERS if name != "mypy"))
    assert done.returncode == 0, done.stdout
    before, after = packages(ROOT), packages(planted)
    assert set(after) - set(before) == {PACKAGE}
    assert f"{len(after)} plugins" in done.stdout
    assert re.search(r"\d+ layers, \d+ contracts kept", done.stdout)


def test_it_touches_its_folder_the_extras_and_the_docs(planted: Path) -> None:
    git(planted, "add", "--all")
    touched = set(git(planted, "diff", "--cached", "--name-only").split())
    assert touched == {*OWN, *LISTED}
    own = (f"{FOLDER}/", "docs/", "README")
    assert {name for name in touched if not name.startswith(own)} == {"pyproject.toml"}
    one, other = (
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        for folder in (ROOT, planted)
    )
    assert one["project"].pop("optional-dependencies") != other["project"].pop(
        "optional-dependencies"
    )
    assert one == other


@pytest.mark.parametrize("page", ["docs/contributing.md", "docs/pl/contributing.md"])
def test_the_documentation_shows_that_very_diff(planted: Path, page: str) -> None:
    git(planted, "add", "--all")
    stat = git(planted, "diff", "--cached", "--stat=100")
    told = re.search(r"```text\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert told
    assert told.group(1).splitlines() == [line.strip() for line in stat.splitlines()]


def test_the_core_knows_its_names(planted: Path) -> None:
    assert names.declared_names((planted / "plugins",))["planted"] == "venom-planted"
    with changed(planted, {PROJECT: ('"venom==', '"left-pad>=1", "venom==')}):
        assert "left-pad>=1" in map(str, direct_requirements(planted, "full"))


FOR_TYPES = """from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from {package} import {other}


def take(one: "{other}.One") -> None: ...
"""
#: Modules of the plugin and one of the core, each with the gate that it turns red and what is said.
BREACHES = {
    f"{SOURCES}/reaching.py": (
        "from venom_core.models import registry\n",
        ("imports", "A plugin sees venom_core.sdk only BROKEN"),
        ("imports", f"{PACKAGE}.reaching -> venom_core.models.registry"),
    ),
    f"{SOURCES}/whole.py": (
        "def late() -> object:\n    from venom_core import composition\n    return composition\n",
        ("imports", f"{PACKAGE}.whole -> venom_core.composition"),
    ),
    f"{SOURCES}/neighbour.py": (
        "from venom_remote import provider\n",
        ("imports", "Plugins never import each other BROKEN"),
        ("imports", f"{PACKAGE}.neighbour -> venom_remote.provider"),
    ),
    f"{SOURCES}/staging.py": (
        "import venom_core.testing\n",
        ("imports", f"- {PACKAGE}.staging -> venom_core.testing"),
    ),
    f"{SOURCES}/serving.py": (
        "import fastapi\nimport starlette.routing\n",
        ("imports", "FastAPI and Starlette stay in the API and the page's mount BROKEN"),
        ("imports", f"- {PACKAGE}.serving -> fastapi"),
        ("imports", f"- {PACKAGE}.serving -> starlette"),
    ),
    f"{SOURCES}/tables.py": (
        "import sqlalchemy\nimport sqlite3\n",
        ("imports", "SQLAlchemy stays in the store BROKEN"),
        ("imports", f"- {PACKAGE}.tables -> sqlalchemy"),
        ("imports", f"- {PACKAGE}.tables -> sqlite3"),
        ("ruff", f"{SOURCES}/tables.py:1:8: F401"),
    ),
    f"{SOURCES}/hen.py": (
        f"def late() -> object:\n    from {PACKAGE} import egg\n    return egg\n",
        ("imports", "No modules import each other in a circle BROKEN"),
        ("imports", f"No cycles are allowed in {PACKAGE}."),
    ),
    f"{SOURCES}/egg.py": (f"from {PACKAGE} import hen\n", ("ruff", f"{SOURCES}/egg.py:1:")),
    **{
        f"{SOURCES}/{name}.py": (
            FOR_TYPES.format(package=PACKAGE, other=other),
            ("mypy", f"{SOURCES}/{name}.py:7: error: Name"),
        )
        for name, other in (("left", "right"), ("right", "left"))
    },
    "venom_core/usecases/planting.py": (
        f"import {PACKAGE}.plugin\n",
        ("imports", "The core never imports a plugin by name BROKEN"),
        ("imports", f"venom_core.usecases.planting -> {PACKAGE}"),
    ),
    "venom_core/newroom/__init__.py": (
        "import fastapi\nimport sqlalchemy\n",
        ("imports", "- venom_core.newroom -> fastapi"),
        ("imports", "- venom_core.newroom -> sqlalchemy"),
        ("imports", "- venom_core.newroom\n\n(Since this contract is marked as 'exhaustive'"),
    ),
    f"{SOURCES}/heavy.py": ("import numpy\n", ("ruff", f"{SOURCES}/heavy.py:1:8: TID253")),
    f"{FOLDER}/tests/test_order.py": (
        f"import pluggy\nimport {PACKAGE}.plugin\n\nprint({PACKAGE}, pluggy)\n",
        ("ruff", f"{FOLDER}/tests/test_order.py:1:1: I001"),
    ),
    f"{SOURCES}/typing.py": (
        "def number() -> int:\n    return 'one'\n",
        ("mypy", f"{SOURCES}/typing.py:2: error: Incompatible return value type"),
        ("format", f"{SOURCES}/typing.py"),
    ),
}


@pytest.fixture(scope="module")
def broken(planted: Path) -> dict[str, str]:
    """Return what each checker says that is red where the plugin breaks all of their rules."""
    with changed(planted, {name: breach[0] for name, breach in BREACHES.items()}):
        output = gates(planted, "ruff", "format", "imports").stdout
        ill_typed = [name for name, (_, *said) in BREACHES.items() if dict(said).get("mypy")]
        typed = types(planted, *ill_typed)
    red = set(re.findall(r"^red (\w+) ", output, re.MULTILINE))
    found = re.findall(r"^== (\w+)\n(.*?)(?=^== |\Z)", output, re.DOTALL | re.MULTILINE)
    said = {gate: text for gate, text in found if gate in red}
    return said | ({"mypy": typed.stdout} if typed.returncode else {})


@pytest.mark.parametrize(
    ("name", "gate", "said"),
    [
        pytest.param(name, gate, said, id=f"{Path(name).stem}-{gate}-{number}")
        for name, (_, *breaches) in BREACHES.items()
        for number, (gate, said) in enumerate(breaches)
    ],
)
def test_what_a_plugin_breaks_turns_its_gate_red(
    broken: dict[str, str], name: str, gate: str, said: str
) -> None:
    assert gate in broken, f"{gate} is green"
    assert said in broken[gate]


def test_a_circle_of_types_alone_is_none(broken: dict[str, str]) -> None:
    everything = "".join(broken.values())
    assert "- .egg -> .hen" in everything or "- .hen -> .egg" in everything
    assert ".left" not in everything
    assert ".right" not in everything


FACTORY = 'factory="venom_planted.provider:PlantedProvider",\n'
ALIAS = "{}            aliases=({!r},),\n"
SETTING = MANIFEST.replace("import Prov", "import Setting, Prov").replace(
    FACTORY, f'{FACTORY}            settings=(Setting("depth", "int", 1, "Metres."),),\n'
)
HOUSE: list[tuple[str, Changes, str]] = [
    ("lockstep", {PROJECT: ('"venom==', '"venom>=')}, f"{PROJECT}: 'venom>="),
    ("lockstep", {PROJECT: ('"venom==', '"httpx==')}, f"{PROJECT}: does not require venom"),
    ("lockstep", {PROJECT: ('dynamic = ["version"]', 'version = "1"')}, f"{PROJECT}: the version"),
    ("lockstep", {PROJECT: ("venom_core/_version", "own")}, "[tool.hatch.version] path is '../../"),
    ("lockstep", {PROJECT: ('"venom==', '"left-pad", "venom==')}, "full.txt: left-pad is required"),
    ("lockstep", {"pyproject.toml": ("planted = [", "sown = [")}, "in the extra 'planted'"),
    ("lockstep", {"pyproject.toml": ('  "venom-planted', '  "venom-hf')}, "in the extra 'full'"),
    ("plugins", {PROJECT: None}, f"{FOLDER}: no pyproject.toml"),
    ("lockstep", {PROJECT: None}, f"{PROJECT}: missing"),
    ("plugins", {f"{FOLDER}/README.md": None}, f"{FOLDER}/README.md: missing"),
    ("plugins", {f"{SOURCES}/py.typed": None}, f"{SOURCES}/py.typed: missing"),
    ("plugins", {f"{SOURCES}/plugin.py": None}, f"{SOURCES}/plugin.py: missing"),
    ("plugins", {f"{SOURCES}/__init__.py": None}, f"{SOURCES}/__init__.py: missing"),
    ("plugins", {f"{FOLDER}/tests/test_plugin.py": None}, f"{FOLDER}/tests: no test"),
    ("plugins", {PROJECT: ('"venom-planted"', '"venom-sown"')}, "the name is not 'venom-planted'"),
    ("plugins", {PROJECT: ("venom_planted.plugin", "venom_core")}, "no entry point of venom.prov"),
    ("plugins", {PROJECT: ('packages = ["venom_planted"]', "")}, "its wheel would not hold"),
    ("plugins", {PROJECT: ("planted = ", "sown = ")}, "'planted' of its provider is not in"),
    (
        "plugins",
        {f"{SOURCES}/plugin.py": (FACTORY, ALIAS.format(FACTORY, "sown"))},
        "'sown' of its provider is not in [tool.venom] reserves",
    ),
    (
        "plugins",
        {f"{SOURCES}/plugin.py": (FACTORY, ALIAS.format(FACTORY, "hf"))},
        "'hf' is reserved for venom-hf",
    ),
    ("plugins", {f"{SOURCES}/plugin.py": "import nothing_there\n"}, "No module named"),
    *(
        ("plugins", {page: ("lanted", "own")}, f"{page}: lists the plugins, and not {PACKAGE}")
        for page in LISTED
        if page != "pyproject.toml" and "tutorials" not in page
    ),
    *(
        ("plugins", {page: ("planted", "sown")}, f"{page}: does not say that the name 'planted'")
        for page in LISTED
        if "tutorials" in page
    ),
    *(
        ("plugins", {f"docs/{folder}providers/planted.md": None}, "missing; every plugin has its")
        for folder in ("", "pl/")
    ),
    ("parity", {"docs/pl/providers/planted.md": None}, "docs/pl/providers/planted.md: missing"),
    ("docs", {"docs/providers/planted.md": None}, "a link to providers/planted.md, which does not"),
    (
        "docs",
        {f"{SOURCES}/extra.py": "raise Unavailable('x', code='planted_gone')\n"},
        f"no heading `planted_gone` for the code that {SOURCES}/extra.py raises",
    ),
    (
        "docs",
        {f"{SOURCES}/plugin.py": SETTING},
        "no heading with `VENOM_PLANTED__DEPTH` for the setting",
    ),
    ("sentences", {f"{SOURCES}/sentences.pl.toml": None}, "no Polish for 'A provider without"),
    ("imports", {f"{SOURCES}/plugin.py": "import httpx\n"}, "a manifest imports venom_core.sdk on"),
    (
        "imports",
        {f"{FOLDER}/tests/test_more.py": "from venom_core.models import registry\n"},
        "a plugin's tests see venom_core.sdk and venom_core.testing only",
    ),
    ("honesty", {f"{SOURCES}/mute.py": "try:\n    f()\nexcept Exception:\n    pass\n"}, "mute.py"),
    ("shape", {f"{SOURCES}/long.py": "x = 1\n" * 501}, f"{SOURCES}/long.py: 501 lines"),
]


@pytest.fixture(scope="module")
def parsed(planted: Path) -> Tree:
    """The tree as it is before each change: all of it is parsed once and not for every change."""
    return Tree(planted)


@pytest.mark.parametrize(
    ("check", "changes", "said"),
    [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(HOUSE)],
)
def test_what_a_plugin_lacks_turns_a_check_of_the_house_red(
    parsed: Tree, check: str, changes: Changes, said: str
) -> None:
    with changed(parsed.root, changes, parsed) as tree:
        problems = CHECKS[check].check(tree)
    assert any(said in problem for problem in problems), problems
