"""The one place that makes HTTP clients.

httpx is the client API everywhere; its data path runs over aiohttp, which relays a stream for about
a third of the CPU of httpx's own transport. A change of client library is a change of this file.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys
import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from venom_core.sdk.errors import NotHttp, UpstreamError, UpstreamGone, UpstreamTimeout
from venom_core.sdk.loopback import is_loopback_host

if TYPE_CHECKING:
    import httpx

    from venom_core.sdk.upstream import Body, Upstream

CONNECT_TIMEOUT = 5.0
# Servers commonly close idle connections after 5 s (uvicorn, Node): let go of ours before them, or
# the next request meets a connection that is closing under it.
KEEPALIVE_SECONDS = 4.0


_imported = threading.Event()


async def prepare() -> None:
    """Import what clients are made of outside the event loop, which would stand still for a third
    of a second: once, before the first :func:`make_client`."""
    if not _imported.is_set():
        await asyncio.to_thread(_import_clients)


def _import_clients() -> None:
    _skip_command_line()
    import venom_core.sdk.upstream  # noqa: F401

    _imported.set()


def make_client(
    base_url: str, *, headers: Mapping[str, str] | None = None, read_timeout: float = 120.0
) -> Upstream:
    """Return an async client for one upstream.

    Args:
        base_url: scheme, host and port; paths are given with each request.
        headers: sent with every request (an upstream's key); never forwarded on a redirect,
            because redirects are not followed.
        read_timeout: seconds without a byte after which the upstream counts as stalled.
    """
    _skip_command_line()
    import httpx
    from httpx_aiohttp import AiohttpTransport

    from venom_core.sdk.upstream import Upstream

    # The session is made at the first request, on the running loop. Its connector verifies
    # certificates; the transport's own context would be built for nothing.
    transport = AiohttpTransport(verify=False, client=lambda: _aiohttp_session(base_url))
    timeout = httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT)
    url, credentials = _without_credentials(httpx.URL(base_url))
    return Upstream(
        base_url=url,
        headers={**credentials, **(headers or {})},
        transport=transport,
        timeout=timeout,
    )


def make_download_client(url: str, *, read_timeout: float) -> httpx.AsyncClient:
    """Return an async client for files of the URL's host, over httpx's own transport.

    That one hands on every byte that came before a connection broke, where aiohttp drops what it
    still holds; and a download is no data path of tokens, for which aiohttp is cheaper. It trusts
    what the system trusts, as the others do, and certifi's list, as ``huggingface_hub`` does.
    """
    _skip_command_line()
    import httpx

    trusted = httpx.create_ssl_context()
    trusted.load_default_certs()
    return httpx.AsyncClient(
        verify=trusted,
        timeout=httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT),
        trust_env=not is_loopback(url),
        follow_redirects=False,
    )


def _skip_command_line() -> None:
    """Keep httpx from importing its own command line, and with it rich and pygments, wherever click
    and rich are installed: 80 ms and 10 MB for nothing. It takes a missing one for "not
    installed"."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def _without_credentials(url: httpx.URL) -> tuple[httpx.URL, dict[str, str]]:
    """Return ``http://user:password@host`` as a URL fit for logs, and the header that it stands
    for."""
    if not url.userinfo:
        return url, {}
    pair = f"{url.username}:{url.password}".encode()
    header = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return url.copy_with(username=None, password=None), header


def _aiohttp_session(base_url: str) -> Any:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS)
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        trust_env=not is_loopback(base_url),
        skip_auto_headers=("User-Agent",),
        timeout=aiohttp.ClientTimeout(total=None),
    )


def is_loopback(url: str) -> bool:
    """Return whether the URL's host is this machine: such an address never goes through a
    proxy."""
    return is_loopback_host(urlsplit(url).hostname or "")


@contextlib.asynccontextmanager
async def open_stream(
    client: Upstream,
    method: str,
    path: str,
    *,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    read_timeout: float | None = None,
    watched: bool = False,
) -> AsyncIterator[httpx.Response]:
    """Send a request and give the response once its headers are there.

    ``read_timeout`` bounds each silence, in seconds; None takes the client's. With ``watched`` it
    bounds the one before the headers alone: the caller keeps a ``StallTimer`` over the body, whose
    ``TimeoutError`` is understood here; a timer for every chunk would cost as much as relaying it.

    A connection that broke before the first byte of the answer is tried once more: a kept-alive
    connection may close under a request. Connection failures pass through as ``httpx``'s
    ``ConnectError``/``ConnectTimeout`` for the caller to name; later ones become
    ``UpstreamGone``/``UpstreamTimeout``.
    """
    import aiohttp
    import httpx

    limit = client.timeout.read if read_timeout is None else read_timeout

    def begin() -> Awaitable[httpx.Response]:
        between = None if watched else limit
        return client.begin(method, path, json=json, headers=headers, read_timeout=between)

    response = await _send(begin, limit)
    try:
        yield response
    except (httpx.TimeoutException, TimeoutError) as error:  # aiohttp's are TimeoutErrors
        raise UpstreamTimeout(
            "The upstream stopped sending in the middle of its answer.",
            fix="Try again; if it happens often, the engine may lack memory for this model.",
        ) from error
    except (httpx.HTTPError, aiohttp.ClientError) as error:
        raise UpstreamGone(
            "The upstream broke off in the middle of its answer.",
            fix="Try again; venom doctor shows whether the engine still runs.",
        ) from error
    finally:
        await response.aclose()


async def _send(
    begin: Callable[[], Awaitable[httpx.Response]], limit: float | None
) -> httpx.Response:
    import aiohttp
    import httpx

    for last in (False, True):
        try:
            async with asyncio.timeout(limit):
                return await begin()
        except TimeoutError as error:
            raise _late() from error
        except aiohttp.ClientError as error:  # one that httpx-aiohttp has no name for
            raise NotHttp(
                "The program at this address does not speak HTTP.",
                fix="Check the provider's address: venom config show",
            ) from error
        except httpx.HTTPError as error:
            if broke_before_answer(error):
                if not last:
                    continue
                raise UpstreamGone(
                    "The upstream closed the connection without an answer.",
                    fix="venom doctor shows whether the engine still runs.",
                ) from error
            if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                raise
            if isinstance(error, httpx.TimeoutException):
                raise _late() from error
            raise UpstreamError(
                "The upstream's address cannot be used.",
                fix="Check the provider's address: venom config show",
            ) from error
    raise AssertionError("unreachable")


def _late() -> UpstreamTimeout:
    return UpstreamTimeout(
        "The upstream did not answer in time.",
        fix="Try again; a first request may wait for the model to load.",
    )


def chunks(response: httpx.Response) -> AsyncIterable[bytes]:
    """Yield the body as it arrives, undecoded, inside :func:`open_stream`: ``aiter_raw`` without
    its work on every chunk."""
    return cast("Body", response.stream).chunks()


def broke_before_answer(error: Exception) -> bool:
    """Return whether a connection that had been made broke before the answer's first byte.

    httpx-aiohttp names it ``ConnectTimeout``, because aiohttp's ``ServerDisconnectedError`` and
    ``ClientOSError`` are connection errors to it; the cause tells them from a refusal.
    """
    import aiohttp
    import httpx

    if isinstance(error, (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
        return True
    cause = error.__cause__
    return isinstance(
        cause, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
    ) and not isinstance(cause, aiohttp.ClientConnectorError)
