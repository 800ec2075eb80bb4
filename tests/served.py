"""A real server on a real port, in the test's own process and loop, so that it sees both sides."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import uvicorn
from starlette.types import ASGIApp

from venom_core.cli.http_waits import BoundedWaits
from venom_core.testing.deadlines import patience


@contextlib.asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve the application on a free port; gives its base URL."""
    server = uvicorn.Server(
        uvicorn.Config(app, http=BoundedWaits, log_level="error", access_log=False)
    )
    # asyncio sends small answers at once (TCP_NODELAY) over a socket that says it is TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve([listening]))
        async with asyncio.timeout(patience(10)):
            while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
                await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            server.force_exit = True
            await asyncio.wait_for(serving, patience(10))


@contextlib.asynccontextmanager
async def client_served(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application on a free port; gives a client of it, as patient as a test is."""
    async with (
        served(app) as url,
        httpx.AsyncClient(base_url=url, timeout=patience(30)) as client,
    ):
        yield client
