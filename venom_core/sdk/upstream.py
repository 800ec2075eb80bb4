"""The httpx client for upstreams, with a short way for the data path.

``httpx.AsyncClient`` merges URLs, headers, cookies and hooks into each request and walks through
authentication and redirects after it: for a chat request that is more work than sending it.
:meth:`Upstream.begin` does without, because an upstream needs none of it: it asks the aiohttp
session of its transport directly. Imported with the first client, never at start-up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions
from pydantic_core import to_json

from venom_core.sdk.turns import written_in_turn

KNOWN_PATHS = 64


class Body(AiohttpResponseStream):
    """The body of an answer; ``chunks`` is the plain way to it, which raises aiohttp's errors."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        super().__init__(response)
        self._content = response.content

    def chunks(self) -> AsyncIterator[bytes]:
        return self._content.iter_any()


class Upstream(httpx.AsyncClient):
    """A client of one upstream; arguments as for ``httpx.AsyncClient``."""

    def __init__(
        self,
        *,
        base_url: httpx.URL,
        headers: Mapping[str, str],
        transport: AiohttpTransport,
        timeout: httpx.Timeout,
    ) -> None:
        super().__init__(
            base_url=base_url,
            headers=headers,
            transport=transport,
            timeout=timeout,
            follow_redirects=False,
        )
        self._way = transport
        self._urls: dict[str, str] = {}
        # Compressing a stream of tokens would hold them back, and a relay passes on what it gets.
        own = {name.lower(): value for name, value in headers.items()}
        self._always = {"accept": "*/*", "accept-encoding": "identity", **own}

    async def begin(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        read_timeout: float | None,
    ) -> httpx.Response:
        """Send a request; gives the response once its headers are there.

        ``read_timeout`` bounds each silence, body included; None bounds none. Raises the errors of
        httpx that the transport names, and aiohttp's own where it has no name.
        """
        every = {**self._always}
        data = None
        if json is not None:
            every["content-type"] = "application/json"
            # A fifth of the time of the standard library's: a body may have megabytes.
            data = await written_in_turn(lambda: to_json(json, inf_nan_mode="null"))
        for name, value in (headers or {}).items():
            every[name.lower()] = value
        with map_aiohttp_exceptions():
            answer = await self._session().request(
                method,
                self._url(path),
                headers=every,
                data=data,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    connect=self.timeout.pool,
                    sock_connect=self.timeout.connect,
                    sock_read=read_timeout,
                ),
            )
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=Body(answer))

    def _session(self) -> aiohttp.ClientSession:
        """Return the transport's own session, made on the running loop at its first use."""
        session = self._way.client
        if not isinstance(session, aiohttp.ClientSession):
            session = self._way.client = self._way.get_client()
        return session

    def _url(self, path: str) -> str:
        url = self._urls.get(path)
        if url is None:
            url = str(self.build_request("GET", path).url)
            if len(self._urls) < KNOWN_PATHS:
                self._urls[path] = url
        return url
