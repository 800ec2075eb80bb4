"""The real thing: a release that is built, then broken; a bump; the page for machines without a
network, word for word."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tools.wheelhouse
from tests.unit.checks.planted import checkout, git
from tools.measure_install import bare_environment
from tools.platforms import PLATFORMS, Unresolved, resolved
from tools.projects import ROOT, declared_version
from tools.releasing import again, bills, changelog, provenance
from tools.releasing.release import SUMS, Release, written_sums
from tools.releasing.rules import OF_THE_ARTEFACTS, OF_THE_TREE, asked
from tools.releasing.toolbox import toolbox
from tools.wheelhouse import WHEELHOUSE
from tools.wheels import DIST
from venom_core.testing.deadlines import patience

VERSION = str(declared_version())


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A release with everything that `make release` adds; in a copy of `dist/`."""
    toolbox()
    dist = tmp_path_factory.mktemp("release") / "dist"
    shutil.copytree(DIST, dist)
    for left in (dist / SUMS, dist / "provenance.json"):
        left.unlink(missing_ok=True)
    release = Release(ROOT, dist)
    bills.write(release)
    hand_out(release)
    return release


def hand_out(release: Release) -> None:
    provenance.write(release)
    names = [*release.files(), release.provenance.name]
    (release.dist / SUMS).write_text(written_sums(release.dist, names))


@pytest.fixture
def mine(whole: Release, tmp_path: Path) -> Release:
    """A copy of it to break."""
    shutil.copytree(whole.dist, tmp_path / "dist")
    return Release(ROOT, tmp_path / "dist")


@pytest.mark.parametrize("rule", [*OF_THE_TREE, *OF_THE_ARTEFACTS])
def test_a_rule_of_a_real_release(whole: Release, rule: str) -> None:
    outcome = asked(rule, whole)
    assert (outcome.state, outcome.said) == ("ok", [])


def test_a_pth_in_a_real_wheel(mine: Release) -> None:
    wheel = mine.dist / f"venom_hf-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("venom_hf.pth", "import os\n")
    said = f"{wheel.name}: venom_hf.pth runs at every start of Python"
    assert asked("startup", mine).said[0] == said
    assert asked("wheelhouse", mine).said == [f"wheelhouse/{wheel.name}: not the one in dist/"]
    assert asked("hashes", mine).state == "red"


def test_a_bill_without_a_distribution(mine: Release) -> None:
    for name in (bills.PYTHON, bills.PAGE):
        file = mine.bills / name
        bill = json.loads(file.read_text())
        dropped = bill["components"].pop()
        file.write_text(json.dumps(bill))
        (problem,) = asked("sbom", mine).said
        assert dropped["name"].lower().replace("_", "-") in problem
        assert problem.endswith("is missing")
        bill["components"].append(dropped)
        file.write_text(json.dumps(bill))
    assert asked("sbom", mine).state == "ok"


def test_a_bill_that_is_not_valid(mine: Release) -> None:
    file = mine.bills / bills.PYTHON
    bill = json.loads(file.read_text())
    bill["components"][0]["type"] = "a thing"
    file.write_text(json.dumps(bill))
    (problem,) = asked("sbom", mine).said
    assert "not valid by its schema" in problem
    shutil.rmtree(mine.bills)
    assert asked("sbom", mine).state == "not run"


def test_bills_name_no_folder_of_this_machine(whole: Release) -> None:
    for file in (*whole.bills.iterdir(), whole.provenance):
        text = file.read_text()
        assert str(ROOT) not in text
        assert "/tmp/" not in text


def test_advisories_are_asked_or_not_run(whole: Release) -> None:
    """Green where there is an answer about every package, and nowhere else."""
    outcome = asked("advisories", whole)
    assert outcome.state in ("ok", "not run"), outcome.said
    assert outcome.state == "ok" or outcome.said[0].startswith("pip-audit could")


def test_built_again_elsewhere(whole: Release) -> None:
    """Page and all, in another folder, time zone and locale."""
    assert list(again.identical(whole)) == []


def test_a_build_that_writes_its_time(tmp_path: Path) -> None:
    """Both builds of one tree, whose plugin has a hook that writes the time into its package."""
    tree = checkout(tmp_path / "tree")
    shutil.rmtree(tree / "web")  # the page is not what is asked here
    plugin = tree / "plugins" / "venom_hf"
    (plugin / "hatch_build.py").write_text(
        "import time\nfrom pathlib import Path\n"
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Hook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        "        Path(self.root, 'venom_hf', 'made.txt').write_text(str(time.time_ns()))\n"
    )
    project = plugin / "pyproject.toml"
    project.write_text(project.read_text() + "\n[tool.hatch.build.hooks.custom]\n")
    first = again.rebuilt(tree, tmp_path / "one")
    second = again.rebuilt(tree, tmp_path / "two")
    problems = list(again.differences(first, second))
    assert len(problems) == 2, problems
    assert all("made.txt" in one and "another file when built again" in one for one in problems)


def test_a_bump(tmp_path: Path) -> None:
    """The version, the pins, and the entry: one of each fragment, the folder empty behind it."""
    toolbox()
    tree = checkout(tmp_path / "tree")
    waiting = changelog.fragments(tree)
    assert waiting
    kinds = {name.split(".")[-2] for name in waiting}
    done = release(tree, "bump", "2099.1.0", "--date", "2099-01-02", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changed"][-1] == "CHANGELOG.md"
    assert changelog.fragments(tree) == []
    assert (tree / "changelog.d" / "README.md").is_file()
    text = (tree / "CHANGELOG.md").read_text()
    entry = text.partition("## 2099.1.0 (2099-01-02)\n")[2].partition(f"\n## {VERSION}")[0]
    assert {f"{kind.capitalize()}" for kind in kinds} == set(re.findall(r"### (\w+)\n\n- ", entry))
    for name in waiting:
        fragment = (ROOT / "changelog.d" / name).read_text().strip()
        assert f"\n- {fragment.splitlines()[0]}" in entry, name
    assert len(re.findall(r"^- ", entry, re.MULTILINE)) >= len(waiting)
    for rule in ("pins", "changelog", "collected"):
        assert asked(rule, Release(tree, tree / "dist")).said == [], rule
    assert "the tree is 2099.1.0; run `make dev`" in asked("installed", Release(tree)).said[0]


def test_a_bump_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    tree = checkout(tmp_path / "tree")
    for version in ("2026.13.0", "1.0", "", VERSION, "2020.1.0"):
        done = release(tree, "bump", version)
        assert done.returncode == 1
        assert "CalVer" in done.stderr or "is not above" in done.stderr
        assert git(tree, "status", "--porcelain") == ""
    for name in changelog.fragments(tree):
        (tree / "changelog.d" / name).unlink()
    done = release(tree, "bump", "2099.1.0")
    assert done.returncode == 1
    assert "changelog.d holds no fragment" in done.stderr
    assert declared_version(tree) == VERSION


def release(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.release", "--root", str(tree), *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=patience(120), check=False
    )


def commands(page: str) -> list[str]:
    """Return the shell blocks of a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", ["airgapped.md", "pl/airgapped.md"])
def test_the_page_for_machines_without_a_network(page: str, tmp_path: Path) -> None:
    """Every command of it but the two that fetch, which the wheelhouse of this run and the next
    test are, in one shell of a bare machine."""
    shutil.copytree(WHEELHOUSE, tmp_path / "WHEELHOUSE")
    fetching, there = commands(page)[:2], commands(page)[2:]
    assert fetching[0] == "make wheelhouse\n"
    script = "set -eu\n" + "".join(there)
    assert "requirements-light.txt" in script
    environment = {**bare_environment(), "VENOM_HOME": str(tmp_path / "home")}
    del environment["PIP_NO_INDEX"]  # the file itself forbids an index
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=patience(240), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert VERSION in done.stdout
    packages = next((tmp_path / "venom").glob("lib/python*/site-packages"))
    assert (packages / "venom_llamacpp").is_dir()


def test_a_wheel_that_is_not_the_release_s_is_refused(tmp_path: Path) -> None:
    """A wheelhouse in which one of ours was exchanged installs nothing by its file."""
    shutil.copytree(WHEELHOUSE, tmp_path / "W")
    wheel = tmp_path / "W" / f"venom_ollama-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("venom_ollama.pth", "import os\n")
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    done = subprocess.run(
        [*pip, "--find-links", "W", "-r", "W/requirements-light.txt"], cwd=tmp_path,
        env=bare_environment(), capture_output=True, text=True, timeout=patience(120), check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_a_wheelhouse_without_what_has_no_wheel_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The largest set that has; where none has, a sentence."""
    target = PLATFORMS["macos-x86_64"]
    missing = {"full": "onnxruntime==1.31.1"}

    def played(lock: str, *_: object) -> dict[str, str]:
        if lock in missing:
            raise Unresolved(missing[lock])
        return resolved(lock, PLATFORMS["linux-arm64"], "3.12")

    monkeypatch.setattr(tools.wheelhouse, "resolved", played)
    sets, lock = tools.wheelhouse._only(target, "3.12")
    assert sets == ("light", "embedded")
    assert "xllamacpp==" in lock and "onnxruntime" not in lock and "--hash=sha256:" in lock
    assert "without full: no wheel of onnxruntime==1.31.1" in capsys.readouterr().err
    missing |= {"embedded": "xllamacpp==1", "light": "uvloop==1"}
    with pytest.raises(SystemExit, match=r"no set has every wheel: uvloop==1"):
        tools.wheelhouse._only(target, "3.12")


def test_a_python_without_a_system(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        tools.wheelhouse.main(["--python", "3.12"])
    assert stopped.value.code == 2
    assert "--python goes with --for" in capsys.readouterr().err


def test_a_wheelhouse_for_another_machine() -> None:
    """Fetched for one that this is not: our wheels, its engine, and no other system's."""
    name, system = "macos-arm64", "macosx"
    folder = DIST / f"wheelhouse-{name}-py3.12"
    command = [sys.executable, "-m", "tools.wheelhouse", "--for", name, "--python", "3.12"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=patience(300), check=False
    )
    try:
        assert done.returncode == 0, done.stderr
        assert "not run, only fetched" in done.stdout
        wheels = [path.name for path in folder.glob("*.whl")]
        foreign = [one for one in wheels if not one.endswith("-any.whl")]
        assert foreign
        assert all(system in one for one in foreign), foreign
        assert any(one.startswith("xllamacpp-") for one in foreign)
        assert (folder / "requirements-light.txt").is_file()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert name in PLATFORMS
