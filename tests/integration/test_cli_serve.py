"""`venom serve` as a process: found, used, stopped, in the way, and killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.unit.cli.processes import Running, running, venom
from venom_core.testing.deadlines import eventually, patience


def get(url: str, **headers: str) -> int:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=patience(30)) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_is_found_used_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, "serve", "--port", "0") as server:
        url = server.url()
        file = home / "run" / "server.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert server.record["url"] == url and server.record["pid"] == server.process.pid
        assert get(f"{url}/healthz") == 200
        (home / "venom.lock").chmod(0o600)
        found = venom(home, "doctor", "--json")
        findings = {f["name"]: f["message"] for f in json.loads(found.stdout)["findings"]}
        assert f"{url}, pid {server.process.pid}: answers" in findings["server"]
        # A command that writes is no second Venom: it goes through the server.
        assert venom(home, "plugins", "retry", "remote").returncode == 0
        assert server.end() == 0
        assert not file.exists() and "Stopped." in server.lines[-1]
        assert not list((home / "run").glob("*.json"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_end_it_well(tmp_path: Path, number: int) -> None:
    with running(tmp_path / "home", "serve", "--port", "0") as server:
        server.url()
        assert server.end(number) == 0
    assert not (tmp_path / "home" / "run" / "server.json").exists()
    assert "Traceback" not in "".join(server.lines)


def test_a_second_server_is_told_who_is_first(tmp_path: Path) -> None:
    with running(tmp_path / "home", "serve", "--port", "0") as server:
        server.url()
        second = venom(tmp_path / "home", "serve", "--port", "0")
    assert second.returncode == 6
    assert f"venom serve (pid {server.process.pid})" in second.stderr
    assert "data_directory_busy" in second.stderr


def test_a_port_in_use_names_its_holder(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = venom(tmp_path / "home", "serve", "--port", str(port))
    assert done.returncode == 6
    named = re.search(r"--port (\d+)", done.stderr)
    assert f"(pid {os.getpid()})" in done.stderr
    assert named and int(named[1]) > port  # the next one may be another program's
    assert not (tmp_path / "home" / "run" / "server.json").exists()


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = venom(tmp_path / "file" / "home", "serve", "--port", "0")
    assert done.returncode == 7 and "home_not_writable" in done.stderr


def test_beyond_loopback_without_a_key_nothing_is_bound(tmp_path: Path) -> None:
    done = venom(tmp_path / "home", "serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 5 and "venom keys create" in done.stderr
    assert done.stdout == "" and not (tmp_path / "home" / "venom.lock").exists()


def test_a_new_key_locks_strangers_out_and_the_owner_s_commands_stay_in(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, "serve", "--port", "0") as server:
        url = server.url()
        assert get(f"{url}/v1/models") == 200
        key = venom(home, "keys", "create", "x").stdout.strip()
        assert eventually(lambda: get(f"{url}/v1/models") == 401, 10)
        assert get(f"{url}/v1/models", Authorization=f"Bearer {key}") == 200
        assert get(f"{url}/v1/models", Authorization=f"Bearer {server.record['token']}") == 200
        assert venom(home, "list").returncode == 0


def test_after_kill_9_the_next_server_and_the_commands_are_not_misled(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, "serve", "--port", "0") as server:
        server.url()
        server.end(signal.SIGKILL)
    assert (home / "run" / "server.json").exists(), "nobody could have removed it"
    listed = venom(home, "list", "--json")
    assert listed.returncode == 0 and listed.stderr == ""
    with running(home, "serve", "--port", "0") as second:
        second.url()
        assert second.record["pid"] == second.process.pid


def test_a_server_that_hangs_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, "serve", "--port", "0") as server:
        server.url()
        server.process.send_signal(signal.SIGSTOP)
        try:
            listed = venom(home, "plugins")
            wrote = venom(home, "plugins", "retry", "remote")
        finally:
            server.process.send_signal(signal.SIGCONT)
    assert listed.returncode == 0 and "does not answer" in listed.stderr
    assert wrote.returncode == 6 and str(server.process.pid) in wrote.stderr


def test_the_profile_of_the_command_line(tmp_path: Path) -> None:
    with running(tmp_path / "home", "serve", "--port", "0", "--profile", "llm_off") as server:
        url = server.url()
        assert "profile llm_off" in server.lines[0]
        assert get(f"{url}/readyz") == 200
        done = venom(tmp_path / "home", "run", "--json", "What is it?")
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "llm_off"


def test_output_off_a_terminal_has_no_escapes(tmp_path: Path) -> None:
    for arguments in (("list",), ("plugins",), ("doctor",), ("config", "show"), ("--help",)):
        done = venom(tmp_path / "home", *arguments)
        assert "\x1b" not in done.stdout + done.stderr, arguments


def test_an_interrupted_start_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    server = Running(home, "serve", "--port", "0")
    try:
        server.process.send_signal(signal.SIGINT)
        server.process.wait(patience(30))
    finally:
        server.process.kill()
        assert server.process.stdout is not None
        server.process.stdout.close()
    assert not (home / "run" / "server.json").exists()
    with running(home, "serve", "--port", "0") as second:
        second.url()


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    from tests.unit.cli.processes import VENOM, environment

    script = f"{' '.join(VENOM)} config show | head -1"
    done = subprocess.run(
        ["sh", "-c", script],
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )
    assert done.stderr == "" and done.stdout.startswith("File: ")
