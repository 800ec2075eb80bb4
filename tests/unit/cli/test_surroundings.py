"""Commands in a process that something around it has damaged; each in a shell that does so."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.processes import environment
from venom_core.cli.surroundings import KEY_LOG, drop_unusable_key_log
from venom_core.testing.deadlines import eventually, patience

VENOM = f"{sys.executable} -m venom_core.cli.main"


def shell(home: Path, line: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line.replace("venom ", f"{VENOM} ", 1)],
        env={**environment(home), **env},
        capture_output=True,
        text=True,
        timeout=patience(120),
        check=False,
    )


@pytest.mark.parametrize(
    "line",
    [
        "venom config show >&-",
        "venom config show 2>&-",
        "venom config show <&-",
        "venom config show <&- >&- 2>&-",
        "venom config show --json >&- 2>&-",
        "unset HOME; venom config show",
        "HOME=/nonexistent/home venom config show",
        "nohup venom config show",
    ],
)
def test_a_command_needs_no_more_than_it_uses(tmp_path: Path, line: str) -> None:
    text = line.replace("nohup venom", f"nohup {VENOM}")
    done = shell(tmp_path, text)
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr and "Traceback" not in done.stderr


def test_nothing_is_written_into_a_file_that_took_a_closed_streams_place(tmp_path: Path) -> None:
    done = shell(tmp_path, "venom keys create laptop >&- 2>&-")
    assert done.returncode == 0
    assert (tmp_path / "venom.db").read_bytes().startswith(b"SQLite format 3")
    assert [k["name"] for k in json.loads(shell(tmp_path, "venom keys list --json").stdout)["keys"]]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_an_output_without_room_is_told(tmp_path: Path) -> None:
    done = shell(tmp_path, "venom config show >/dev/full")
    assert done.returncode == 1 and "output_not_written" in done.stderr
    assert "internal_error" not in done.stderr
    assert shell(tmp_path, "venom config show >/dev/null").returncode == 0  # the fix


@pytest.mark.parametrize("usable", [True, False])
def test_a_stale_key_log_is_forgotten_and_said(
    tmp_path: Path, usable: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.log" if usable else tmp_path / "gone" / "keys.log"
    env = {KEY_LOG: str(path)}
    drop_unusable_key_log(env)
    assert (KEY_LOG in env) is usable
    assert ("is ignored" in capsys.readouterr().err) is not usable


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has /proc")
def test_a_server_under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["sh", "-c", f"trap '' HUP; exec {VENOM} serve --port 0"],
            env=environment(tmp_path / "home"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        assert eventually(lambda: "Page" in log.read_text(), 60), log.read_text()
        status = Path(f"/proc/{process.pid}/status").read_text()
        ignored = int(re.search(r"SigIgn:\s*([0-9a-f]+)", status)[1], 16)
        assert ignored & 1 << signal.SIGHUP - 1, "the terminal's end is still ignored"
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience(40)) == 0
    finally:
        process.kill()
        process.wait()
