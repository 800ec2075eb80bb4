"""`venom serve` under a service manager that is played: a real datagram socket, real inherited
descriptors."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.cli.processes import VENOM, Running, environment, running, venom
from venom_core.testing.deadlines import eventually, patience

pytestmark = pytest.mark.skipif(os.name != "posix", reason="systemd's protocols are of POSIX")
SERVE = ("serve", "--profile", "llm_off")


class Manager:
    """Hears what it is told; ``told`` is every state up to now, as (name, value)."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(0.1)

    def hears(self, name: str, value: str = "") -> bool:
        """Return whether a state is told in time, value and all where one is given."""

        def heard() -> bool:
            self._read()
            return any(known == name and value in said for known, said in self.told)

        return eventually(heard, 60)

    def names(self) -> list[str]:
        self._read()
        return [name for name, _ in self.told]

    def _read(self) -> None:
        try:
            while True:
                for line in self._socket.recv(4096).decode().split("\n"):
                    name, _, value = line.partition("=")
                    self.told.append((name, value))
        except TimeoutError:
            return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "n") if request.param == "path" else f"@venom-{os.getpid()}-test"
    if request.param == "abstract" and not Path("/proc/self").is_dir():
        pytest.skip("only Linux has an abstract namespace")
    manager = Manager(address)
    yield manager
    manager.close()


def test_the_manager_is_told_from_the_start_to_the_end(tmp_path: Path, manager: Manager) -> None:
    env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"}
    with running(tmp_path / "home", *SERVE, "--port", "0", **env) as server:
        url = server.url()
        assert manager.hears("READY", "1") and manager.hears("STATUS", "Profile llm_off: ready")
        with urllib.request.urlopen(f"{url}/readyz", timeout=patience(30)) as answer:
            assert answer.status == 200
        beats = manager.names().count("WATCHDOG")
        assert eventually(lambda: manager.names().count("WATCHDOG") > beats + 2, 30)
        assert "STOPPING" not in manager.names()
        assert server.end() == 0
    assert manager.hears("STOPPING", "1")
    names = manager.names()
    assert names.index("READY") < names.index("STOPPING") and names.count("READY") == 1


def test_without_a_watchdog_no_beat_and_another_process_s_is_not_ours(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "n"))
    env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "50000", "WATCHDOG_PID": "1"}
    with running(tmp_path / "home", *SERVE, "--port", "0", **env) as server:
        server.url()
        assert manager.hears("READY", "1")
        assert server.end() == 0
    assert manager.hears("STOPPING") and "WATCHDOG" not in manager.names()
    manager.close()


@pytest.mark.parametrize("address", ["/no/such/socket", "@nobody-listens", "relative", ""])
def test_a_manager_that_is_not_there_stops_nothing(tmp_path: Path, address: str) -> None:
    env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "not a number"}
    with running(tmp_path / "home", *SERVE, "--port", "0", **env) as server:
        server.url()
        assert server.end() == 0
    assert "Traceback" not in "".join(server.lines)


# -- sockets that are handed over ------------------------------------------------------------


#: Puts descriptors where systemd puts them, and becomes the server: the process id stays.
HAND_OVER = """
import os, sys
count = int(sys.argv[1])
given, command = [int(one) for one in sys.argv[2 : 2 + count]], sys.argv[2 + count :]
for at, descriptor in enumerate(given):
    os.dup2(descriptor, 3 + at)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(command[0], command)
"""


class Activated(Running):
    """A server that finds descriptors from 3 on, as systemd hands them over."""

    def __init__(self, home: Path, descriptors: Sequence[int], *arguments: str, **env: str) -> None:
        self.home = home
        self.lines: list[str] = []
        count, *given = map(str, (len(descriptors), *descriptors))
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", HAND_OVER, count, *given, *VENOM, *arguments],
            env=environment(home, **{"LISTEN_FDS": count, **env}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=descriptors,
        )


def out_of_the_way(descriptor: int) -> int:
    """Duplicate a descriptor to a free number beyond those that systemd hands over."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD, 40)


@contextmanager
def listening(host: str = "127.0.0.1", family: int = socket.AF_INET) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((host, 0))
        listener.listen()
        with socket.socket(fileno=out_of_the_way(listener.fileno())) as moved:
            yield moved


@contextmanager
def activated(
    home: Path, *listeners: socket.socket, arguments: Sequence[str] = SERVE, **env: str
) -> Iterator[Activated]:
    server = Activated(home, [one.fileno() for one in listeners], *arguments, **env)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end()
        elif server.process.stdout is not None:
            server.process.stdout.close()


def ok(port: int, path: str = "/healthz") -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=patience(30)) as answer:
        return bool(answer.status == 200)


def test_a_socket_that_is_handed_over_is_served(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with listening() as listener:
        port = listener.getsockname()[1]
        # A client may come before the server is there: it waits.
        with socket.create_connection(("127.0.0.1", port), timeout=patience(60)) as early:
            early.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            with activated(home, listener, LISTEN_FDNAMES="venom.socket") as server:
                assert server.url() == f"http://127.0.0.1:{port}"
                assert early.recv(64).startswith(b"HTTP/1.1 200")
                assert ok(port) and server.record["url"] == f"http://127.0.0.1:{port}"
                assert venom(home, "list").returncode == 0, "a command finds it"
                assert server.end() == 0
        # Started anew, it goes on behind the same socket.
        with activated(home, listener) as second:
            assert second.url() == f"http://127.0.0.1:{port}" and ok(port)


def test_two_sockets_are_both_served(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with listening() as one, listening() as two, activated(home, one, two) as server:
        server.url()
        assert ok(one.getsockname()[1]) and ok(two.getsockname()[1])


def test_the_socket_counts_and_not_the_flags(tmp_path: Path) -> None:
    with listening() as listener:
        port = listener.getsockname()[1]
        flags = (*SERVE, "--host", "0.0.0.0", "--port", "1")
        with activated(tmp_path / "home", listener, arguments=flags) as server:
            assert server.url() == f"http://127.0.0.1:{port}"
            assert "not --host, --port" in "".join(server.lines)


def test_a_socket_beyond_loopback_needs_a_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with listening() as inner, listening("0.0.0.0") as outer:
        # Settings that name loopback, and a loopback socket before it, do not hide it.
        with activated(home, inner, outer, VENOM_HOST="127.0.0.1") as server:
            assert server.process.wait(patience(60)) == 5
            assert server.process.stdout is not None
            assert "key_required" in server.process.stdout.read()
        key = venom(home, "keys", "create", "x").stdout.strip()
        with activated(home, inner, outer, VENOM_HOST="127.0.0.1") as server:
            server.url()
            port = outer.getsockname()[1]
            request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/models")
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=patience(30))
            refused.value.close()
            assert refused.value.code == 401
            request.add_header("Authorization", f"Bearer {key}")
            with urllib.request.urlopen(request, timeout=patience(30)) as answer:
                assert answer.status == 200


def test_what_is_no_listening_tcp_socket_is_refused(tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as idle,
        (tmp_path / "file").open("w+") as file,
    ):
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        cases = [
            (unix.fileno(), "is no TCP socket"),
            (datagram.fileno(), "is no TCP socket"),
            (idle.fileno(), "does not listen"),
            (file.fileno(), "is no socket"),
        ]
        for given, why in cases:
            moved = out_of_the_way(given)
            try:
                server = Activated(tmp_path / "home", [moved], *SERVE, LISTEN_FDNAMES="x")
                out, _ = server.process.communicate(timeout=patience(60))
            finally:
                os.close(moved)
            assert server.process.returncode == 2, out
            assert f"x {why}" in out and "inherited_socket_not_usable" in out
            assert "Traceback" not in out


@pytest.mark.parametrize(
    ("env", "code"),
    [
        ({"LISTEN_FDS": "1", "LISTEN_PID": "1"}, 0),
        ({"LISTEN_FDS": "1"}, 0),
        ({"LISTEN_PID": "1", "LISTEN_FDS": ""}, 0),
    ],
)
def test_what_was_meant_for_another_process_is_left(
    tmp_path: Path, env: dict[str, str], code: int
) -> None:
    with running(tmp_path / "home", *SERVE, "--port", "0", **env) as server:
        server.url()
        assert server.end() == code


@pytest.mark.parametrize("count", ["many", "-1", "17", "99999999999", "1"])
def test_a_count_that_is_none_is_refused(tmp_path: Path, count: str) -> None:
    server = Activated(tmp_path / "home", [], *SERVE, LISTEN_FDS=count)
    out, _ = server.process.communicate(timeout=patience(60))
    assert server.process.returncode == 2 and "inherited_socket_not_usable" in out
    assert "Traceback" not in out
