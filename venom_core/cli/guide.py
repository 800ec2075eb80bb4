"""The quickstart's work, step by step, on one event loop with the server that it starts."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import sys
import time
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any

from venom_core.cli.checks import checkout
from venom_core.cli.connection.answer import Answer
from venom_core.cli.connection.interface import Connection
from venom_core.cli.connection.local import LocalVenom, make_venom
from venom_core.cli.connection.lock import hold_data_directory
from venom_core.cli.connection.server import ServerClient
from venom_core.cli.connection.server_file import ServerRecord, find_server
from venom_core.cli.connection.session import usable_server
from venom_core.cli.first_steps import EMBEDDED
from venom_core.cli.listening import (
    PortInUse,
    free_port_after,
    listen,
    local_url,
    require_key_beyond_loopback,
)
from venom_core.cli.logs import begin_logging
from venom_core.cli.page_build import build_page, what_is_missing
from venom_core.cli.pulling import progress_of
from venom_core.cli.quickstart_lines import (
    last_line,
    models_line,
    providers_line,
    server_line,
    suggestion_lines,
)
from venom_core.cli.terminal import is_terminal, note, size
from venom_core.cli.wording import words
from venom_core.installing.first_steps import demonstration_models
from venom_core.sdk.errors import UpstreamIncomplete, VenomError
from venom_core.sdk.loopback import listens_on_loopback
from venom_core.settings.paths import Paths
from venom_core.ui import is_built

if TYPE_CHECKING:
    from venom_core.cli.serving import Server
    from venom_core.composition import Venom

#: The models that are fetched; the first one is asked.
MODELS = demonstration_models()
QUESTION = "What is the capital of Poland?"


def run_guide(*, once: bool, browser: bool) -> None:
    """Do the whole quickstart; returns after the answer with ``once``, else when the server stops.

    Raises ``VenomError`` where no answer came.
    """
    paths = Paths.resolve()
    record = find_server(paths)
    if record is not None and usable_server(record, writes=True):
        asyncio.run(_ask_running(record))
        return
    with hold_data_directory(paths, "venom quickstart"):
        venom = make_venom()
        begin_logging(paths, venom.settings.core.log_level, form=venom.settings.core.log_format)
        require_key_beyond_loopback(venom)
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            runner.run(_Guide(venom, once=once, browser=browser).run())


def _fast_loop() -> Any:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return None
    return uvloop.new_event_loop


async def _ask_running(record: ServerRecord) -> None:
    """Do the same with a server that runs already; it goes on running."""
    connection = ServerClient(record.url, record.token)
    try:
        await fetch_models(connection)
        overview = await connection.overview()
        tell(providers_line(_known(overview), EMBEDDED, words(_status(overview))))
        figures = f"already running (pid {record.pid})"
        tell(server_line(record.url, words(figures)))
        await ask_first_question(connection)
        _finish(await connection.overview(), record.url, stays=False)
    finally:
        await connection.close()


def tell(text: str) -> None:
    """Print a line of ours at once; the lines are read while the work goes on."""
    print(words(text), flush=True)


def _known(overview: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the providers that a first run has to do with."""
    known = {step["plugin"] for step in overview["first_steps"] if step["kind"] != "server"}
    return [p for p in overview["providers"] if p["name"] in known | {EMBEDDED}]


def _status(overview: dict[str, Any]) -> str:
    found = [p["status"] for p in overview["providers"] if p["name"] == EMBEDDED]
    return found[0] if found else "not installed"


async def fetch_models(connection: Connection) -> None:
    """Say which models are missing and how large they are, then fetch them."""
    listing = await connection.models()
    offered = {model["name"]: model for model in _of_embedded(listing["available"])}
    missing = [name for name in MODELS if name in offered]
    if missing:
        sizes = ", ".join(f"{name} {size(offered[name]['size_bytes'])}" for name in missing)
        tell(f"Fetching {sizes}, into the data directory (packages of pip's index)")
    for name in missing:
        with progress_of(name) as show:
            async with contextlib.aclosing(connection.pull(f"{EMBEDDED}://{name}")) as steps:
                async for step in steps:
                    show(step)
    if missing:
        listing = await connection.models()
    there = {model["name"]: model for model in _of_embedded(listing["models"])}
    if MODELS[0] not in there:
        # Without its plugin or engine nothing is offered: the pull's refusal says what is missing.
        async with contextlib.aclosing(connection.pull(f"{EMBEDDED}://{MODELS[0]}")) as steps:
            async for _ in steps:
                continue
    models = [there[name] for name in MODELS if name in there]
    tell(models_line(models, fetched=bool(missing)))


def _of_embedded(models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [model for model in models if model["provider"] == EMBEDDED]


async def ask_first_question(connection: Connection) -> Answer:
    """Ask through the server's own ``/v1``. Raises ``VenomError`` where no answer came."""
    print(f"  > {QUESTION}")
    print("  ", end="", flush=True)
    body = {"messages": [{"role": "user", "content": QUESTION}]}
    try:
        async with connection.ask(f"{EMBEDDED}://{MODELS[0]}", body) as answer:
            async for text, _ in answer.pieces():
                print(text, end="", flush=True)
    finally:
        print(flush=True)
    if not answer.content.strip():
        raise UpstreamIncomplete("The model answered nothing.", fix="See why with: venom doctor")
    # Asked of a process of this machine over loopback; that is what this promise rests on.
    tell(f"  {answer.figures()} · nothing left this machine")
    return answer


def _finish(overview: dict[str, Any], url: str, *, stays: bool) -> None:
    for line in suggestion_lines(overview):
        tell(line)
    tell(last_line(url, stays=stays))


class _Guide:
    """A first run in which this process becomes the server."""

    def __init__(self, venom: Venom, *, once: bool, browser: bool) -> None:
        self._venom = venom
        self._once = once
        self._browser = browser

    async def run(self) -> None:
        connection = await LocalVenom.open(self._venom)
        starting = asyncio.create_task(self._start_early())
        try:
            await fetch_models(connection)
            # While the engine loads in its own process there is time for the server's imports.
            early, _ = await asyncio.gather(starting, asyncio.to_thread(_import_server))
            engine = early or await self._start_engine()
            overview = await connection.overview()
            tell(providers_line(_known(overview), EMBEDDED, engine))
            await self._serve()
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await connection.close()

    async def _start_early(self) -> str | None:
        """Load the engine while the models are listed: every time but the first they are there."""
        with contextlib.suppress(VenomError):
            return await self._start_engine()
        return None

    async def _start_engine(self) -> str:
        """Load the first model; how long it took and what it takes."""
        provider = await self._venom.host.provider(EMBEDDED)
        began = time.monotonic()
        await provider.load(MODELS[0])
        seconds = time.monotonic() - began
        sizes = [engine.memory_bytes or 0 for engine in await provider.engines()]
        return words(f"ready in {seconds:.1f} s, {size(sum(sizes))}")

    async def _serve(self) -> None:
        from venom_core.api.app import create_app
        from venom_core.cli.serving import Server, serve_until_stopped

        began = time.monotonic()
        listener, before = self._listen()
        url = local_url(listener)
        up = asyncio.Event()
        server = Server(create_app(self._venom), self._venom, up.set)
        serving = asyncio.create_task(serve_until_stopped(server, self._venom, listener))
        client = ServerClient(url, self._venom.local_token)
        try:
            await _first_of(asyncio.create_task(_up(up)), serving, server)
            loopback = listens_on_loopback(self._venom.settings.core.host)
            where = "this machine only" if loopback else "other machines need an API key"
            figures = f"up in {time.monotonic() - began:.1f} s, {words(where)}"
            tell(server_line(url, words(figures), before))
            await _first_of(asyncio.create_task(self._answer(client, url)), serving, server)
            if not self._once:
                await self._stay(serving, url)
        finally:
            await client.close()
            await _stop(server, serving)

    def _listen(self) -> tuple[socket, str]:
        """Listen on the configured port, else on the next free one, with a word on who holds the
        other."""
        core = self._venom.settings.core
        try:
            return listen(core.host, core.port), ""
        except PortInUse as error:
            holder = error.holder or words("another program")
            notice = words(f"port {core.port} is held by {holder}, so: ")
        with contextlib.suppress(PortInUse):
            return listen(core.host, free_port_after(core.port)), notice
        return listen(core.host, 0), notice

    async def _answer(self, client: ServerClient, url: str) -> None:
        await ask_first_question(client)
        _finish(await client.overview(), url, stays=not self._once)

    async def _stay(self, serving: asyncio.Task[None], url: str) -> None:
        """Serve until a signal comes; build the page meanwhile where that is possible."""
        if is_built():
            if self._browser:
                open_page(url)
            await serving
            return
        folder = checkout()
        if missing := await asyncio.to_thread(what_is_missing, folder):
            tell(missing)
            await serving
            return
        tell("Building the page in the background (make ui); the API is there already.")
        building = asyncio.create_task(self._build(folder, build_page))
        try:
            await serving
        finally:
            building.cancel()
            await asyncio.gather(building, return_exceptions=True)

    async def _build(self, folder: Path, build_page: Any) -> None:
        try:
            tell(await build_page(folder, self._venom.settings.paths))
        except (OSError, VenomError) as error:
            tell(f"The page was not built ({error}). Everything else works.")


def _import_server() -> None:
    importlib.import_module("venom_core.api.app")
    importlib.import_module("venom_core.cli.serving")


async def _up(event: asyncio.Event) -> None:
    await event.wait()


async def _first_of(work: asyncio.Task[None], serving: asyncio.Task[None], server: Server) -> None:
    """Await ``work``, unless the server ends first: by a signal, or because it could not start.

    What fails while the server is stopping, fails because of that: it is the signal that counts.
    """
    try:
        await asyncio.wait({work, serving}, return_when=asyncio.FIRST_COMPLETED)
        if work.done() and not (work.exception() and server.should_exit):
            return work.result()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    if serving.done():
        serving.result()
    raise KeyboardInterrupt


async def _stop(server: Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await asyncio.wait({serving})


def open_page(url: str) -> None:
    """Show the page where a person at a desktop started this; never a text browser in the
    terminal, and never where nobody looks."""
    import webbrowser

    desktop = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if desktop and is_terminal(sys.stdout):
        try:
            webbrowser.open(url)
        except webbrowser.Error as error:
            note(f"The browser did not open: {error}")
