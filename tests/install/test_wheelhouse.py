"""The wheels in fresh environments, without a network: what they bring, and that they run."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tools.environment import VENV
from tools.measure_install import SETS, Installed, bare_environment, install, python_of
from tools.plugins import packages
from tools.projects import ROOT, declared_version
from tools.requirement_files import FILES, FOLDER, RequirementFile, constraints
from tools.wheelhouse import WHEELHOUSE
from tools.wheels import DIST
from venom_core.plugins.names import RESERVED_NAMES
from venom_core.testing.deadlines import patience

HEAVY = {
    "docker",
    "numpy",
    "onnxruntime",
    "onnxruntime_genai",
    "ray",
    "torch",
    "transformers",
    "vllm",
}
ENGINE = "xllamacpp"
PLUGINS = {"core": set(), "light": {"ollama"}, "embedded": {"ollama", "llamacpp"}}
MOST_DISTRIBUTIONS = 50
MOST_MEGABYTES = 85


@pytest.fixture(scope="session", params=SETS)
def fresh(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Installed]:
    """One of the sets, installed once for all tests: its name, its environment, its figures."""
    folder = tmp_path_factory.mktemp("install") / request.param
    return request.param, folder, install(SETS[request.param], folder)


def venom(folder: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command, far from the checkout."""
    command = [str(python_of(folder).with_name("venom")), *arguments]
    environment = {**bare_environment(), "VENOM_HOME": str(home)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=patience(60),
        check=False,
    )  # fmt: skip


def test_nothing_heavy_comes_with_it(fresh: tuple[str, Path, Installed]) -> None:
    name, _, installed = fresh
    found = {package.lower() for package in installed.names}
    assert not found & HEAVY
    assert (ENGINE in found) is (name == "embedded")


def test_it_stays_small(fresh: tuple[str, Path, Installed]) -> None:
    name, _, installed = fresh
    if name != "embedded":  # the engine's own size is not ours to keep small
        assert installed.distributions <= MOST_DISTRIBUTIONS, installed.names
        assert installed.megabytes <= MOST_MEGABYTES
    expected = {"venom"} | {f"venom_{plugin}" for plugin in PLUGINS[name]}
    assert {one for one in installed.names if one.startswith("venom")} == expected


def test_it_says_its_version(fresh: tuple[str, Path, Installed], tmp_path: Path) -> None:
    _, folder, _ = fresh
    done = venom(folder, tmp_path, "--version")
    assert done.returncode == 0, done.stderr
    assert declared_version() in done.stdout


def test_exactly_its_plugins_are_loaded(fresh: tuple[str, Path, Installed], tmp_path: Path) -> None:
    name, folder, _ = fresh
    done = venom(folder, tmp_path, "plugins", "--json")
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)["plugins"]
    assert {record["id"] for record in records} == PLUGINS[name]
    assert {(record["state"], record["version"]) for record in records} <= {
        ("loaded", declared_version())
    }


def test_it_knows_the_names_of_the_release(fresh: tuple[str, Path, Installed]) -> None:
    """Of the plugins that are not installed too."""
    _, folder, _ = fresh
    ask = "import json; from venom_core.plugins import names; "
    command = [str(python_of(folder)), "-I", "-c", f"{ask}print(json.dumps(names.RESERVED_NAMES))"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=patience(60), check=True
    )
    assert json.loads(done.stdout) == RESERVED_NAMES


def test_the_page_is_inside(fresh: tuple[str, Path, Installed]) -> None:
    _, folder, _ = fresh
    static = next(folder.glob("[Ll]ib/**/site-packages/venom_core/ui/static"))
    assert (static / "index.html").is_file()
    assert (static / "index.html.gz").is_file()


def test_hashes_beside_the_wheels() -> None:
    lines = (WHEELHOUSE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = dict(reversed(line.split("  ", 1)) for line in lines)
    assert set(listed) == {path.name for path in WHEELHOUSE.glob("*.whl")}
    for name, digest in listed.items():
        assert hashlib.sha256((WHEELHOUSE / name).read_bytes()).hexdigest() == digest


def test_siblings_are_pinned_to_their_own_release() -> None:
    """Two releases in one folder never mix."""
    version = declared_version()
    for name in ("venom", *packages(ROOT)):
        with zipfile.ZipFile(DIST / f"{name}-{version}-py3-none-any.whl") as wheel:
            metadata = wheel.read(f"{name}-{version}.dist-info/METADATA").decode()
        ours = re.findall(r"^Requires-Dist: (venom\S*)", metadata, re.MULTILINE)
        assert ours
        assert all(one.rstrip(";").endswith(f"=={version}") for one in ours), ours


def test_an_sdist_makes_the_same_wheel(tmp_path: Path) -> None:
    """An sdist needs nothing but itself: not the version file outside it, not git, not npm."""
    version = declared_version()
    for name in ("venom", *packages(ROOT)):
        with tarfile.open(DIST / f"{name}-{version}.tar.gz") as archive:
            archive.extractall(tmp_path, filter="data")
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
            cwd=tmp_path / f"{name}-{version}", check=True, capture_output=True,
            env={**os.environ, "PYTHONPATH": str(VENV / "build-tools")},
        )  # fmt: skip
        wheel = f"{name}-{version}-py3-none-any.whl"
        assert contents(tmp_path / wheel) == contents(DIST / wheel)


def contents(wheel: Path) -> dict[str, int]:
    """Return name and checksum of each file in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {one.filename: one.CRC for one in archive.infolist()}


@pytest.mark.parametrize(
    "one", [one for one in FILES if one.lock != "dev"], ids=lambda one: one.name
)
def test_a_requirement_file_resolves_to_the_locked_versions(
    one: RequirementFile, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    command += ["--no-index", "--find-links", str(WHEELHOUSE), "--report", str(report)]
    done = subprocess.run(
        [*command, "--requirement", str(FOLDER / one.name)], env=bare_environment(),
        capture_output=True, text=True, timeout=patience(120), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    chosen = {
        canonicalize_name(each["metadata"]["name"]): each["metadata"]["version"]
        for each in json.loads(report.read_text())["install"]
    }
    assert chosen["venom"] == declared_version()
    # A package may be locked twice, each for some platforms or Pythons.
    pins = re.findall(
        r"^([a-z0-9.-]+)(?:\[[^]]*\])?==([^\s;]+)", constraints(one.lock), re.MULTILINE
    )
    locked = {(canonicalize_name(name), version) for name, version in pins}
    others = {pair for pair in chosen.items() if not pair[0].startswith("venom")}
    assert others and others <= locked
