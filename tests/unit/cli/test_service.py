"""`venom service`: the files it writes, and systemd's program, which is played by a script."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli
from venom_core.cli import service_install
from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.service_units import (
    MARK,
    ServedInstallation,
    is_ours,
    launchd_plist,
    systemd_unit,
)
from venom_core.sdk.errors import InvalidRequest
from venom_core.testing.deadlines import patience

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the script plays Linux' systemd")

#: Keeps what it is asked, and fails at what stands in the file ``fails``.
SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$PLAYED/asked"
fails=$(cat "$PLAYED/fails" 2>/dev/null)
if [ -n "$fails" ]; then
  case "$*" in *"$fails"*) echo "it will not" >&2; exit 1;; esac
fi
wants="$XDG_CONFIG_HOME/systemd/user/default.target.wants"
case "$2" in
  enable) mkdir -p "$wants"; ln -sf ../venom.service "$wants/venom.service";;
  restart) echo active > "$PLAYED/active";;
  disable) rm -f "$wants/venom.service" "$PLAYED/active";;
  show)
    case "$*" in *venom.service*)
      [ -e "$XDG_CONFIG_HOME/systemd/user/venom.service" ] && echo LoadState=loaded \\
        || echo LoadState=not-found
      echo "ActiveState=$(cat "$PLAYED/active" 2>/dev/null || echo inactive)"
      [ -e "$wants/venom.service" ] && echo UnitFileState=enabled || echo UnitFileState=disabled
      [ -e "$PLAYED/active" ] && echo MainPID=4711 || echo MainPID=0
      echo "StatusText=Profile light: ready";;
    esac;;
esac
"""


class Played:
    """The script's side of it, and the unit that it is asked about."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.unit = home / "config" / "systemd" / "user" / "venom.service"
        self.wish = self.unit.parent / "default.target.wants" / "venom.service"

    def fails(self, at: str) -> None:
        (self.home / "fails").write_text(at)

    @property
    def active(self) -> bool:
        return (self.home / "active").exists()

    def asked(self) -> list[str]:
        """Return what changed something, and forget it."""
        file = self.home / "asked"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line.removeprefix("--user ") for line in lines if " show " not in line]


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    home = tmp_path / "played"
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    return Played(home)


START = ["daemon-reload", "enable venom.service", "restart venom.service"]


def test_a_dry_run_prints_the_file_and_writes_nothing(cli: Cli, played: Played, paths) -> None:
    done = cli("service", "install", "--dry-run")
    assert done.code == 0 and done.out.startswith(f"# {MARK}\n")
    told = json.loads(cli("service", "install", "--dry-run", "--json").out)
    assert told == {"file": str(played.unit), "text": done.out}
    assert f'ExecStart="{sys.executable}" "-m" "venom_core.cli.main" "serve"' in done.out
    assert f'Environment="VENOM_HOME={paths.home}"' in done.out
    assert not played.unit.exists() and played.asked() == []


def test_install_says_what_is_left_and_is_the_same_twice(cli: Cli, played: Played) -> None:
    done = cli("service", "install")
    assert done.code == 0 and "systemctl --user enable --now venom.service" in done.out
    assert played.asked() == ["daemon-reload"] and not played.active
    text = played.unit.read_text()
    before = played.unit.stat().st_mtime_ns
    assert "As it was" in cli("service", "install").out
    assert (played.unit.read_text(), played.unit.stat().st_mtime_ns) == (text, before)
    assert played.asked() == []


def test_install_now_starts_it_once(cli: Cli, played: Played) -> None:
    told = json.loads(cli("service", "install", "--now", "--json").out)
    assert told == {
        "manager": "systemd", "file": str(played.unit), "changed": True, "started": True,
        "next": [],
    }  # fmt: skip
    assert played.asked() == START and played.active and played.wish.is_symlink()
    assert cli("service", "install", "--now").code == 0
    assert played.asked() == [], "it runs as it should"
    played.unit.write_text(played.unit.read_text() + "# of an older release\n")
    assert json.loads(cli("service", "install", "--now", "--json").out)["changed"]
    assert played.asked() == START, "brought up to date"


@pytest.mark.parametrize("step", ["daemon-reload", "enable", "restart"])
def test_a_step_that_fails_leaves_nothing(cli: Cli, played: Played, step: str) -> None:
    played.fails(step)
    done = cli("service", "install", "--now")
    assert done.code == ExitCode.UNAVAILABLE and "service_manager_failed" in done.err
    assert f"systemctl --user {step}" in done.err and "it will not" in done.err
    assert not played.unit.exists() and not played.wish.is_symlink() and not played.active
    assert played.asked()[-1] == "daemon-reload", "systemd has forgotten it too"


def test_an_update_that_fails_leaves_the_old_one_at_work(cli: Cli, played: Played) -> None:
    assert cli("service", "install", "--now").code == 0
    old = played.unit.read_text() + "# of an older release\n"
    played.unit.write_text(old)
    played.fails("restart")
    assert cli("service", "install", "--now").code == ExitCode.UNAVAILABLE
    assert played.unit.read_text() == old and played.wish.is_symlink()
    played.fails("")
    assert cli("service", "install", "--now").code == 0 and played.unit.read_text() != old


@pytest.mark.parametrize("verb", ["install", "remove"])
@pytest.mark.parametrize("kind", ["file", "mask", "link"])
def test_a_unit_of_somebody_else_is_left(
    cli: Cli, played: Played, tmp_path: Path, verb: str, kind: str
) -> None:
    played.unit.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(f"# {MARK}\n" if kind == "link" else "[Service]\nExecStart=/bin/true\n")
    if kind == "file":
        played.unit.write_text(elsewhere.read_text())
    else:
        played.unit.symlink_to("/dev/null" if kind == "mask" else elsewhere)
    before = played.unit.read_text(), elsewhere.read_text()
    done = cli("service", verb)
    assert done.code == ExitCode.CONFLICT and "service_not_ours" in done.err
    assert (played.unit.read_text(), elsewhere.read_text()) == before and played.asked() == []
    assert json.loads(cli("service", "status", "--json").out)["ours"] is False
    assert cli("service", verb, "--force").code == 0
    assert elsewhere.read_text() == before[1], "what a link leads to is nobody's to change"
    assert played.unit.exists() is (verb == "install") and not played.unit.is_symlink()


def test_remove_stops_it_first_and_is_the_same_twice(cli: Cli, played: Played) -> None:
    assert cli("service", "install", "--now").code == 0
    played.asked()
    assert "Removed" in cli("service", "remove").out
    assert played.asked() == ["disable --now venom.service", "daemon-reload"]
    assert not played.unit.exists() and not played.active
    again = cli("service", "remove")
    assert (again.code, again.out.strip()) == (0, "There is no service to remove.")
    assert json.loads(cli("service", "remove", "--json").out)["removed"] is False


def test_one_that_cannot_be_stopped_stays_whole(cli: Cli, played: Played) -> None:
    assert cli("service", "install", "--now").code == 0
    played.fails("disable")
    done = cli("service", "remove")
    assert done.code == ExitCode.UNAVAILABLE
    assert played.unit.exists() and played.active and played.wish.is_symlink()


def test_without_a_session_of_systemd(cli: Cli, played: Played) -> None:
    played.fails("--user")
    refused = cli("service", "install", "--now")
    assert refused.code == ExitCode.UNAVAILABLE and "service_manager_missing" in refused.err
    assert not played.unit.exists()
    assert cli("service", "install").code == 0 and played.unit.exists()
    assert "cannot be asked" in cli("service", "status").out
    assert json.loads(cli("service", "status", "--json").out)["answers"] is False
    assert cli("service", "remove").code == 0 and not played.unit.exists()


def test_without_systemd_at_all(cli: Cli, played: Played, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(played.home / "nothing"))
    assert cli("service", "install").code == 0 and played.unit.exists()
    assert cli("service", "install", "--now").code == ExitCode.UNAVAILABLE


def test_status(cli: Cli, played: Played) -> None:
    assert "venom service install" in cli("service", "status").out
    told = json.loads(cli("service", "status", "--json").out)
    assert (told["installed"], told["current"], told["pid"]) == (False, None, None)
    assert cli("service", "install", "--now").code == 0
    told = json.loads(cli("service", "status", "--json").out)
    assert told == {
        "manager": "systemd", "file": str(played.unit), "installed": True, "ours": True,
        "current": True, "answers": True, "active": "active", "enabled": "enabled",
        "status": "Profile light: ready", "pid": 4711,
    }  # fmt: skip
    shown = cli("service", "status").out
    assert "active, enabled, pid 4711" in shown and "Profile light: ready" in shown
    played.unit.write_text(played.unit.read_text() + "# older\n")
    assert "out of date" in cli("service", "status").out


def test_a_folder_that_cannot_be_written(cli: Cli, played: Played, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(service_install, "write_file", refuse)
    done = cli("service", "install")
    assert done.code == ExitCode.STORAGE and "service_not_written" in done.err


ODD = ["/plain", "/with space/x", "/100%u$HOME", "/żółw"]


@pytest.mark.parametrize("path", ODD)
def test_systemd_reads_the_unit_as_it_is_meant(tmp_path: Path, path: str) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    python = tmp_path / path.strip("/") / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    unit = tmp_path / "venom.service"
    unit.write_text(systemd_unit(ServedInstallation(python, python.parent)))
    done = subprocess.run(
        [verify, "--user", "verify", str(unit)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("path", ODD)
def test_launchd_s_list_has_the_same(path: str) -> None:
    text = launchd_plist(ServedInstallation(Path(path) / "python", Path(path)))
    told = plistlib.loads(text.encode())
    assert told["ProgramArguments"] == [f"{path}/python", "-m", "venom_core.cli.main", "serve"]
    assert told["EnvironmentVariables"] == {"VENOM_HOME": path}
    assert told["KeepAlive"] == {"SuccessfulExit": False} and told["RunAtLoad"] is True
    assert is_ours(text)


@pytest.mark.parametrize(
    "path", ["relative", "/two\nlines", "/esc\x1b[1m", '/qu"', "/qu'", "/b\\x"]
)
def test_a_path_that_would_be_a_line_of_its_own_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ServedInstallation(Path("/usr/bin/python3"), Path(path))
    assert caught.value.code == "service_path_not_usable"


@pytest.mark.parametrize("system", ["Windows", "FreeBSD", ""])
def test_a_system_without_a_manager_that_is_known(cli: Cli, monkeypatch, system: str) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    for verb in ("install", "remove", "status"):
        done = cli("service", verb)
        assert done.code == ExitCode.USAGE and "service_not_supported" in done.err
