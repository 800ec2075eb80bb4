"""The socket, who may come in through it, and the page that is built beside it."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from venom_core.cli import listening, page_build
from venom_core.cli.commands import serve
from venom_core.cli.connection import local
from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.listening import PortInUse, listen, local_url, require_key_beyond_loopback
from venom_core.composition import Venom
from venom_core.sdk.errors import Forbidden, InvalidRequest, StorageError
from venom_core.sdk.programs import Program
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.processes import living


def test_a_proxy_is_a_way_in_for_others_and_needs_a_key(monkeypatch, paths: Paths) -> None:
    monkeypatch.setenv("VENOM_TRUSTED_PROXIES", "127.0.0.1")
    with pytest.raises(Forbidden) as caught:
        require_key_beyond_loopback(Venom.from_environment())
    assert caught.value.code == "key_required" and "proxy" in caught.value.message


def test_a_port_in_use_names_who_holds_it_and_another_one() -> None:
    with listen("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            listen("127.0.0.1", port)
    assert f"(pid {os.getpid()})" in caught.value.message
    named = re.search(r"--port (\d+)", caught.value.fix or "")
    assert named and int(named[1]) > port  # the next one may be another program's
    assert caught.value.code == "port_in_use"


def test_a_holder_that_the_system_does_not_name(monkeypatch) -> None:
    monkeypatch.setattr(listening, "who_listens", lambda port: None)
    with listen("127.0.0.1", 0) as held, pytest.raises(PortInUse) as caught:
        listen("127.0.0.1", held.getsockname()[1])
    assert "another program" in caught.value.message


def test_clients_wait_instead_of_being_refused_before_the_server_runs() -> None:
    with listen("127.0.0.1", 0) as listener:
        socket.create_connection(listener.getsockname(), timeout=patience(2)).close()


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        listen(host, 0)
    assert caught.value.code == "host_not_usable" and "0.0.0.0" in (caught.value.fix or "")


def test_the_url_of_a_wildcard_is_loopback() -> None:
    class Listener:
        def __init__(self, *name: object) -> None:
            self.getsockname = lambda: name

    assert local_url(Listener("0.0.0.0", 8366)) == "http://127.0.0.1:8366"  # type: ignore[arg-type]
    assert local_url(Listener("::", 8366, 0, 0)) == "http://[::1]:8366"  # type: ignore[arg-type]
    assert local_url(Listener("192.0.2.1", 1)) == "http://192.0.2.1:1"  # type: ignore[arg-type]


def venom_at(paths: Paths, **env: str) -> Venom:
    return Venom(Settings.load(paths, env), local.make_venom().host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "example.org"])
def test_beyond_loopback_a_key_is_needed(paths: Paths, host: str) -> None:
    venom = venom_at(paths, VENOM_HOST=host)
    with pytest.raises(Forbidden) as caught:
        require_key_beyond_loopback(venom)
    assert caught.value.code == "key_required" and "venom keys create" in (caught.value.fix or "")
    assert not paths.store_file.exists()
    paths.make(paths.home)
    _, record = venom.store.keys().create("x")
    require_key_beyond_loopback(venom)
    venom.store.keys().revoke(record.id)
    with pytest.raises(Forbidden):
        require_key_beyond_loopback(venom)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.5"])
def test_on_loopback_no_key_is_needed_and_no_store_is_opened(paths: Paths, host: str) -> None:
    require_key_beyond_loopback(venom_at(paths, VENOM_HOST=host))
    assert not paths.store_file.exists()


def test_a_key_file_is_a_key_and_a_bad_one_is_refused(paths: Paths, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("0123456789abcdef\n")
    require_key_beyond_loopback(venom_at(paths, VENOM_HOST="0.0.0.0", VENOM_API_KEY_FILE=str(file)))
    file.write_text("short\n")
    with pytest.raises(StorageError):
        require_key_beyond_loopback(venom_at(paths, VENOM_API_KEY_FILE=str(file)))


def test_a_wildcard_tells_the_names_that_are_not_let_in_yet() -> None:
    everything = listening.unlisted_hosts("0.0.0.0", ())
    assert socket.gethostname() in everything
    assert not [name for name in everything if name.startswith("127.")]
    assert listening.unlisted_hosts("0.0.0.0", tuple(everything)) == []
    assert listening.unlisted_hosts("127.0.0.1", ()) == []


def test_serve_refuses_before_it_binds(cli, monkeypatch) -> None:
    monkeypatch.setattr(serve, "listen", lambda *_: pytest.fail("it was bound"))
    done = cli("serve", "--host", "0.0.0.0")
    assert done.code == ExitCode.NOT_ALLOWED and "key_required" in done.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--port", "70000"), "usage"),
        (("--port", "x"), "usage"),
    ],
)
def test_serve_with_options_that_are_wrong(cli, arguments: tuple[str, ...], code: str) -> None:
    done = cli("serve", *arguments)
    assert done.code == ExitCode.USAGE and f"Code:  {code}" in done.err


def test_serve_with_a_profile_that_is_none(cli) -> None:
    done = cli("serve", "--profile", "nonsense")
    assert done.code == ExitCode.NOT_FOUND and "Code:  unknown_profile" in done.err


# -- the page -------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "web").mkdir(parents=True)
    return folder


async def test_a_build_that_fails_is_one_sentence(checkout: Path, paths: Paths) -> None:
    (checkout / "Makefile").write_text("ui:\n\t@echo no network; exit 1\n")
    told = await page_build.build_page(checkout, paths)
    assert "was not built" in told and "page-build.log" in told and "\n" not in told
    assert "no network" in (paths.logs_dir / "page-build.log").read_text()


async def test_a_build_that_works(checkout: Path, paths: Paths, monkeypatch) -> None:
    (checkout / "Makefile").write_text("ui:\n\t@true\n")
    monkeypatch.setattr(page_build, "is_built", lambda: True)
    assert "is built" in await page_build.build_page(checkout, paths)


@pytest.mark.parametrize("at", ["its work", "its start"])
async def test_a_build_that_is_cancelled_leaves_no_process(
    checkout: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    start, begun = asyncio.create_subprocess_exec, asyncio.Event()

    async def slow(*argv: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*argv, **options)
        if at == "its start":
            await asyncio.wait_for(begun.wait(), patience(20))
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slow)
    # The grandchild ignores SIGTERM, as a bundler's worker might.
    (checkout / "Makefile").write_text(
        "ui:\n\t@sh -c 'trap \"\" TERM; echo $$$$ > pid; sleep 300 & wait; sleep 300'\n"
    )
    task = asyncio.create_task(page_build.build_page(checkout, paths))
    file = checkout / "pid"
    assert await asyncio.to_thread(eventually, lambda: file.exists() and file.read_text().strip())
    tree = [psutil.Process(int(file.read_text()))]
    tree += tree[0].children(recursive=True)
    task.cancel()
    await asyncio.sleep(0)
    begun.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(eventually, lambda: not living(tree))


def test_what_is_missing_for_a_build_is_said(checkout: Path, monkeypatch) -> None:
    assert "without its page" in (page_build.what_is_missing(checkout) or "")
    (checkout / "Makefile").write_text("ui:\n")
    there = {"node": "/x", "make": "/x"}
    monkeypatch.setattr(page_build, "look_for", lambda name: Program(name, there.get(name)))
    assert "npm not found" in (page_build.what_is_missing(checkout) or "")
    there["npm"] = "/x"
    assert page_build.what_is_missing(checkout) is None
