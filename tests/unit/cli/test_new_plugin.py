"""`venom plugins new`: the project that it makes is certified as it is, and harms nothing."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli
from venom_core.cli.new_plugin import Kind, make_plugin, plugin_name
from venom_core.sdk.errors import InvalidRequest, StorageError
from venom_core.testing.conformance.rules import RULES
from venom_core.testing.deadlines import patience

FILES = {
    ".github/workflows/test.yml", ".gitignore", "README.md", "pyproject.toml",
    "tests/test_conformance.py", "tests/test_stage.py", "venom_my_demo/__init__.py",
    "venom_my_demo/conformance.py", "venom_my_demo/plugin.py", "venom_my_demo/provider.py",
    "venom_my_demo/py.typed", "venom_my_demo/sentences.pl.toml",
}  # fmt: skip


KINDS: dict[Kind, set[str]] = {"server": FILES, "engine": FILES | {"venom_my_demo/engine.py"}}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def made(tmp_path: Path, kind: Kind) -> Path:
    folder = tmp_path / "venom-my-demo"
    make_plugin("my-demo", folder, kind)
    return folder


def test_everything_is_there_and_nothing_is_left_to_fill_in(made: Path, kind: Kind) -> None:
    files = {one.relative_to(made).as_posix() for one in made.rglob("*") if one.is_file()}
    assert files == KINDS[kind]
    for name in files:
        text = (made / name).read_text()
        assert "@" not in text.replace("@hookimpl", "").replace("@trial", "").replace(
            "@contextlib", ""
        ).replace("@pytest", "").replace("actions/checkout@v4", "").replace(
            "actions/setup-python@v5", ""
        ), name
    project = tomllib.loads((made / "pyproject.toml").read_text())["project"]
    assert project["name"] == "venom-my-demo"
    assert set(project["entry-points"]) == {"venom.providers.v1", "venom.conformance.v1"}
    assert tomllib.loads((made / "venom_my_demo/sentences.pl.toml").read_text())


def test_its_own_tests_pass_and_certify_it(made: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=made, capture_output=True, text=True, timeout=patience(100), check=False,
        env={"PYTHONPATH": f"{made}:{Path(__file__).parents[3]}", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    said = done.stdout.splitlines()[-1]
    passed, skipped = (int(said.split(f" {word}")[0].split()[-1]) for word in ("passed", "skipped"))
    assert passed + skipped == len(RULES) + 1
    assert passed > 40


@pytest.fixture(scope="module")
def types_known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the type checker keeps what it knows of the core, the most of its work."""
    return tmp_path_factory.mktemp("types-known")


@pytest.mark.install
def test_linters_find_nothing_in_it(made: Path, types_known: Path) -> None:
    """As its author runs them, in its folder, over its tests too."""
    for command in (["ruff", "check", "--isolated", "--line-length", "100"],
                    ["ruff", "format", "--check", "--isolated", "--line-length", "100"],
                    ["mypy", "--strict"]):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", *command, "."], cwd=made,
            env=os.environ | {"MYPY_CACHE_DIR": str(types_known)},
            capture_output=True, text=True, timeout=patience(110), check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("given", ["demo", "venom_demo", "venom-demo"])
def test_a_name_may_have_the_prefix(given: str) -> None:
    assert plugin_name(given) == "demo"


@pytest.mark.parametrize(
    "given",
    ["", "Demo", "de mo", "../demo", "demo/..", "1demo", "-demo", "ż", "a" * 60, "ollama", "hf",
     "venom_onnx", "core", "venom_core", "de--mo"],
)  # fmt: skip
def test_a_bad_name_is_refused_with_the_reason(given: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        plugin_name(given)
    assert caught.value.code == "invalid_plugin_name"
    assert caught.value.fix


def test_a_folder_that_is_there_is_never_touched(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    result = cli("plugins", "new", "demo", "--path", str(folder))
    assert result.code == 6
    assert "folder_exists" in result.err
    assert [one.name for one in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"


def test_a_full_disk_leaves_no_half_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Path.write_text, []

    def fill(path: Path, text: str, **options: str) -> int:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        return write(path, text, **options)

    folder = tmp_path / "mine"
    monkeypatch.setattr(Path, "write_text", fill)
    with pytest.raises(StorageError) as caught:
        make_plugin("demo", folder)
    assert "No space left" in caught.value.message
    assert len(written) == 3 and not folder.exists()
    monkeypatch.undo()
    assert make_plugin("demo", folder)


def test_the_command_says_what_it_made(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    result = cli("plugins", "new", "venom_my_demo", "--path", str(folder), "--json")
    record = json.loads(result.out)
    assert (result.code, record["name"], record["folder"]) == (0, "my-demo", str(folder))
    assert set(record["files"]) == FILES
    engine = cli("plugins", "new", "my-demo", "--engine", "--path", str(tmp_path / "2"), "--json")
    assert set(json.loads(engine.out)["files"]) == KINDS["engine"]
    told = cli("plugins", "new", "other", "--path", str(tmp_path / "other"))
    assert "venom plugins check other" in told.out
