"""`make run` up to the point where Venom takes over: each thing that a bare machine can lack."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tools import bootstrap, environment
from venom_core.testing.deadlines import eventually, patience


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A small checkout whose installs are only noted; the list of what was done."""
    names = [f"requirements/{lock}.txt" for lock in ("embedded", "dev", "build")]
    names += ["pyproject.toml", "plugins/venom_acme/pyproject.toml"]
    for name in (*names, "venom_core/_version.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('__version__ = "2026.11.0"\n', encoding="utf-8")
    venv = tmp_path / ".venv"
    for name, value in {"ROOT": tmp_path, "VENV": venv, "STAMPS": venv / "stamps.json"}.items():
        monkeypatch.setattr(environment, name, value)
    done: list[str] = []

    def make_venv() -> None:
        done.append("venv")
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").touch()

    monkeypatch.setattr(environment, "_make_venv", make_venv)
    monkeypatch.setattr(environment, "_install", done.append)
    monkeypatch.setattr(environment, "measure", lambda: (48, 101_000_000))
    return done


def test_the_second_time_nothing_is_done(checkout: list[str]) -> None:
    assert environment.ensure("embedded")["fresh"] is True
    stamp = environment.ensure("embedded")
    assert (stamp["fresh"], stamp["distributions"], stamp["megabytes"]) == (False, 48, 101)
    assert checkout == ["venv", "embedded"]


@pytest.mark.parametrize(
    "name", ["requirements/embedded.txt", "pyproject.toml", "plugins/venom_acme/pyproject.toml"]
)
def test_a_changed_lock_is_installed(checkout: list[str], name: str) -> None:
    environment.ensure("embedded")
    (environment.ROOT / name).write_text("changed", encoding="utf-8")
    assert environment.ensure("embedded")["fresh"] is True
    assert checkout == ["venv", "embedded", "embedded"]


def test_a_new_plugin_is_installed(checkout: list[str]) -> None:
    environment.ensure("embedded")
    folder = environment.ROOT / "plugins" / "venom_new"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    assert environment.ensure("embedded")["fresh"] is True


def test_what_a_lock_does_not_hold_comes_with_the_tests_only(checkout: list[str]) -> None:
    lock = environment.ROOT / "requirements" / "embedded.txt"
    lock.write_text("some_Thing==1 \\\n    --hash=sha256:0\nuvloop==2 ; x\n", encoding="utf-8")
    needs = {"acme": '"venom==1"', "held": '"some-thing>=1,<3", "venom==1"', "more": '"torch"'}
    for name, text in needs.items():
        file = environment.ROOT / "plugins" / f"venom_{name}" / "pyproject.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(
            f'[project]\nname = "venom-{name}"\ndependencies = [{text}]\n'
            '[project.optional-dependencies]\nengine = ["torch"]\n',
            encoding="utf-8",
        )
    names = [folder.name for folder in environment.projects("embedded")[1:]]
    assert names == ["venom_acme", "venom_held"]
    assert len(environment.projects("dev")) == 1 + len(needs)


def test_an_environment_of_another_python_is_made_anew(
    checkout: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.ensure("embedded")
    monkeypatch.setattr(sys, "version", "3.99")
    (environment.VENV / "bin" / "python").unlink()
    (environment.VENV / "bin").rmdir()
    environment.ensure("embedded")
    assert checkout == ["venv", "embedded"] * 2


def test_an_environment_for_tests_serves_to_run(checkout: list[str]) -> None:
    environment.ensure("dev")
    assert environment.ensure("embedded")["fresh"] is False
    assert checkout == ["venv", "dev"]


def test_an_interrupted_install_is_made_good(
    checkout: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(lock: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(environment, "_install", interrupted)
        assert environment.main(["run"]) == 130
    (environment.VENV / "bin" / "python").unlink()
    (environment.VENV / "bin").rmdir()
    assert environment.ensure("embedded")["fresh"] is True
    assert checkout == ["venv", "venv", "embedded"]


def test_the_lines_before_venom_takes_over(
    checkout: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handed: list[list[str]] = []

    def hand_over(arguments: list[str]) -> int:
        handed.append(arguments)
        return 7

    monkeypatch.setattr(environment, "hand_over", hand_over)
    assert environment.main(["run", "--once"]) == 7
    environment.main(["run"])
    assert handed == [["quickstart", "--once"], ["quickstart"]]
    first, packages, _, already = capsys.readouterr().out.splitlines()
    assert first.startswith("Venom 2026.11.0 · Python 3.")
    assert packages.startswith("[1/4] Packages   venom[embedded] = ")
    assert "48 packages, 101 MB" in packages
    assert already.endswith("48 packages, 101 MB   already there")


def test_python_without_venv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(environment.Failed, match=r"sudo apt install python3\.\d+-venv"):
        environment._make_venv()


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(os, "execv", lambda path, words: started.append((path, words[0])))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; this is Python 3\.9"):
        bootstrap.usable_python()
    assert started == []
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(SystemExit):
        bootstrap.usable_python()
    assert started[0] == ("/usr/bin/python3.14", "/usr/bin/python3.14")


def test_an_old_python_can_read_the_sentence() -> None:
    """It has to parse where it is needed, and import nothing of ours before the check."""
    tree = ast.parse(Path(bootstrap.__file__).read_text("utf-8"), feature_version=(3, 7))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.NamedExpr)]
    assert not [node for node in tree.body if isinstance(node, ast.ImportFrom)]


def test_a_step_that_fails_shows_its_end(checkout: list[str], tmp_path: Path) -> None:
    environment_log = tmp_path / ".cache" / "install.log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "LOG", environment_log)
        with pytest.raises(environment.Failed, match=r"(?s)no network\? \(exit 3\).*no route"):
            environment._call(
                [sys.executable, "-c", "print('no route'); raise SystemExit(3)"], "no network?"
            )


def test_ctrl_c_in_a_step_leaves_no_process(tmp_path: Path) -> None:
    program = f"""
import sys
from tools import environment
sleeper = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
environment.LOG = environment.Path({str(tmp_path / "log")!r})
environment.ensure = lambda lock: environment._call([sys.executable, "-c", sleeper], "no")
sys.exit(environment.main(["run"]))
"""
    child = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    log = tmp_path / "log"
    assert eventually(lambda: log.exists() and log.read_text("utf-8").endswith("\n"), 60)
    # It has started the step; asleep, it waits for its end.
    bootstrap = psutil.Process(child.pid)
    assert eventually(lambda: bootstrap.status() == psutil.STATUS_SLEEPING)
    pid = int(log.read_text("utf-8"))
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=patience(30)) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
