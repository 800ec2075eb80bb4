"""pip, driven: what it says, how it ends, what is left of it, and what it may not see."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from venom_core.sdk import pip
from venom_core.sdk.errors import NoDiskSpace, UpstreamTimeout
from venom_core.sdk.pip import InstallFailed, Pip
from venom_core.testing.deadlines import eventually, patience

#: Stands where pip would: says where it is, its temporary folder and its words, then what is asked.
FAKE = """
import os, sys, time, tempfile
from pathlib import Path
open(os.path.join(tempfile.gettempdir(), "half"), "w").close()
print("tmp", tempfile.gettempdir(), flush=True)
print("seen", sorted(name for name in os.environ if name.startswith(("VENOM_", "PIP_"))))
print("at https://alice:s3cret@index.example/simple", flush=True)
print("words", sys.argv[1:], flush=True)
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes the driver run a program of ours in pip's place, by the interpreter's own path."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)

    def make(further: str = "") -> Pip:
        package = tmp_path / "site" / "pip"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(FAKE + further)
        monkeypatch.setenv("PYTHONPATH", str(package.parent))
        return Pip()

    return make


def words_of(output: list[str], first: str) -> str:
    return next(line.removeprefix(f"{first} ") for line in output if line.startswith(f"{first} "))


def test_every_line_is_told_and_nothing_is_left(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("VENOM_API_KEY", "secret")
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    monkeypatch.setenv("PIP_PROXY", "http://proxy")
    said: list[str] = []
    fake("print('no end of line', end='')").install(
        ["a==1"], ["--no-cache-dir"], output=said.append
    )
    assert said[-1] == "no end of line"
    assert words_of(said, "seen") == "['PIP_PROXY']"
    assert words_of(said, "at") == "https://index.example/simple"
    assert words_of(said, "words").startswith("['install', '--no-input'")
    assert words_of(said, "tmp").startswith(str(tmp_path))
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("No matching distribution found for x", "plugin_not_available"),
        ("[Errno 28] Brak miejsca", "disk_full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "hash_mismatch"),
        ("something else", "install_failed"),
    ],
)
def test_a_failure_is_named_by_its_last_words(fake, words, code):
    program = f"print('line ' * 20000); sys.stderr.write({words!r}); sys.exit(1)"
    with pytest.raises(InstallFailed) as caught:
        fake(program).resolve("x", [], [])
    assert caught.value.code == code and words in caught.value.output
    assert "s3cret" not in caught.value.output
    assert isinstance(caught.value, NoDiskSpace) is (code == "disk_full")


def test_pip_that_does_not_end_is_ended(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(pip, "RUN_TIMEOUT", 1.0)
    said: list[str] = []
    with pytest.raises(UpstreamTimeout) as caught:
        fake("print('pid', os.getpid(), flush=True); time.sleep(600)").install(
            ["a==1"], [], output=said.append
        )
    assert caught.value.code == "install_timeout"
    assert not psutil.pid_exists(int(words_of(said, "pid")))
    assert list((tmp_path / "temporary").iterdir()) == []


async def test_closing_a_download_ends_pip_and_its_children(fake, tmp_path):
    sleeper = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    child = f"import subprocess\nchild = subprocess.Popen({sleeper})\n"
    program = f"{child}print('pids', os.getpid(), child.pid, flush=True); time.sleep(600)"
    said: list[str] = []
    steps = fake(program).download(["a==1"], tmp_path, tmp_path / "wheels")
    async for lines in steps:
        said += lines
        if any(line.startswith("pids") for line in said):
            break
    await steps.aclose()
    assert not [pid for pid in map(int, words_of(said, "pids").split()) if psutil.pid_exists(pid)]
    assert words_of(said, "tmp") == str(tmp_path / "tmp")


async def test_a_download_ticks_where_pip_is_silent(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(pip, "POLL_SECONDS", 0.01)
    go = tmp_path / "go"
    program = f"while not os.path.exists({str(go)!r}): time.sleep(0.01)"
    silent = 0
    async for lines in fake(program).download(["a==1"], tmp_path, tmp_path / "wheels"):
        silent += not lines
        if silent == 3:
            await asyncio.to_thread(go.touch)
    assert silent >= 3


PARENT = """
import sys
from venom_core.sdk.pip import Pip
Pip().install(["a==1"], [], output=lambda line: print(line, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_pip_ends_with_venom(fake, number):
    fake("print('pid', os.getpid(), flush=True); time.sleep(600)")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        try:
            pid = next(int(line[4:]) for line in parent.stdout if line.startswith("pid "))
            os.kill(parent.pid, number)
            parent.wait(patience(30))
            assert eventually(lambda: not psutil.pid_exists(pid))
        finally:
            parent.kill()
