"""A running server, over HTTP with its token."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from venom_core.cli.connection.answer import Answer
from venom_core.cli.connection.interface import Connection
from venom_core.sdk import numbers
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.errors import (
    LONGEST_WAIT,
    Unavailable,
    UpstreamError,
    UpstreamIncomplete,
    VenomError,
    restored,
)
from venom_core.sdk.frames import Chunk, decode
from venom_core.sdk.http import make_client, open_stream
from venom_core.sdk.sse import DONE, events
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    import httpx

    from venom_core.plugins.host import PluginHost
    from venom_core.usecases.operations import OperationVerb
    from venom_core.usecases.plugins import PluginVerb
    from venom_core.usecases.selftest.asking import Received

_OPERATIONS = "/api/v1/models/operations"
_SESSIONS = "/api/v1/sessions"
#: Seconds of silence: before an answer a model may have to be loaded.
ANSWER_TIMEOUT = 900.0
ASK_TIMEOUT = 60.0


class ServerClient(Connection):
    """The API as methods; refusals come back as the errors that the server raised."""

    def __init__(self, url: str, token: str) -> None:
        self.url: str = url
        self._client = make_client(
            url, headers={"Authorization": f"Bearer {token}"}, read_timeout=ASK_TIMEOUT
        )

    async def models(self) -> dict[str, Any]:
        return await self._json("GET", "/api/v1/models")

    async def loaded(self) -> list[dict[str, Any]]:
        body = await self._json("GET", "/api/v1/models/loaded")
        return list(body["models"])

    async def engines(self) -> dict[str, Any]:
        return await self._json("GET", "/api/v1/engines")

    async def services(self) -> list[dict[str, Any]]:
        return list((await self._json("GET", "/api/v1/runtime/status"))["services"])

    async def change_service(self, name: str, action: str) -> dict[str, Any]:
        path = f"/api/v1/runtime/{_quoted(name)}/{action}"
        async with self._open("POST", path, None, ANSWER_TIMEOUT) as response:
            return dict(json.loads(await response.aread()))

    async def sign_in_link(self, key_id: str) -> str:
        made = await self._json("POST", "/api/v1/signins/links", {"key_id": key_id})
        return f"{self.url}{made['path']}"

    async def activate_server(self, name: str, model: str | None) -> dict[str, Any]:
        body = {"server_name": name, "model": model}
        path = "/api/v1/system/llm-servers/active"
        async with self._open("POST", path, body, ANSWER_TIMEOUT) as response:
            return dict(json.loads(await response.aread()))

    async def service_history(self, limit: int) -> list[dict[str, Any]]:
        return list((await self._json("GET", f"/api/v1/runtime/history?limit={limit}"))["history"])

    async def details(self, name: str) -> dict[str, Any]:
        body = await self._json("GET", f"/api/v1/models/{_quoted(name)}/details")
        return dict(body["model"])

    async def search(
        self, provider: str, query: str, filters: SearchFilters, limit: int, page: int
    ) -> dict[str, Any]:
        asked = {"provider": provider, "query": query, "limit": limit, "page": page}
        asked |= {name: value for name, value in asdict(filters).items() if value is not None}
        return await self._json("GET", f"/api/v1/models/search?{urlencode(asked)}")

    async def overview(self) -> dict[str, Any]:
        return await self._json("GET", "/api/v1/overview")

    async def install(self, name: str) -> dict[str, Any]:
        begun = await self._json("POST", "/api/v1/models/install", body={"name": name})
        return await self.operation(begun["operation_id"])

    async def build(
        self, name: str, format_name: str, precision: str | None, execution_provider: str | None
    ) -> dict[str, Any]:
        body = {
            "model_name": name,
            "precision": precision,
            "execution_provider": execution_provider,
        }
        path = f"/api/v1/models/{quote(format_name, safe='')}/build"
        begun = await self._json("POST", path, body=body)
        return await self.operation(begun["operation_id"])

    async def operations(self, limit: int, cursor: str | None = None) -> dict[str, Any]:
        asked = {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
        return await self._json("GET", f"{_OPERATIONS}?{urlencode(asked)}")

    async def operation(self, operation_id: str) -> dict[str, Any]:
        body = await self._json("GET", f"{_OPERATIONS}/{quote(operation_id, safe='')}")
        return dict(body["operation"])

    async def change_operation(self, operation_id: str, verb: OperationVerb) -> dict[str, Any]:
        path = f"{_OPERATIONS}/{quote(operation_id, safe='')}/{verb}"
        return dict((await self._json("POST", path))["operation"])

    async def remove(self, name: str) -> str:
        return str((await self._json("DELETE", f"/api/v1/models/{_quoted(name)}"))["message"])

    async def load(self, name: str) -> dict[str, Any]:
        path = f"/api/v1/models/{_quoted(name)}/load"
        async with self._open("POST", path, None, ANSWER_TIMEOUT) as response:
            return dict(json.loads(await response.aread()))

    async def unload(self, name: str) -> str:
        body = await self._json("POST", f"/api/v1/models/{_quoted(name)}/unload")
        return str(body["message"])

    async def fit(self, name: str, context: int | None) -> dict[str, Any]:
        asked = f"?context={context}" if context is not None else ""
        return await self._json("GET", f"/api/v1/models/{_quoted(name)}/fit{asked}")

    async def unload_all(self) -> dict[str, Any]:
        return await self._json("POST", "/api/v1/models/unload-all")

    async def use(self, name: str | None, role: str, *, load: bool = False) -> dict[str, Any]:
        if name is None:
            return await self._json("POST", "/api/v1/models/deactivate", {"role": role})
        body = {"name": name, "role": role, "load": load}
        path = "/api/v1/models/switch"
        async with self._open("POST", path, body, ANSWER_TIMEOUT) as response:
            return dict(json.loads(await response.aread()))

    async def generation(self, name: str) -> dict[str, Any]:
        return await self._json("GET", f"/api/v1/models/{_quoted(name)}/config")

    async def configure(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        path = f"/api/v1/models/{_quoted(name)}/config"
        return await self._json("POST", path, {"params": dict(parameters)})

    async def aliases(self) -> dict[str, Any]:
        return await self._json("GET", "/api/v1/models/aliases")

    async def set_alias(self, name: str, target: str) -> dict[str, Any]:
        body = {"name": name, "target": target}
        return await self._json("POST", "/api/v1/models/aliases", body)

    async def remove_alias(self, name: str) -> dict[str, Any]:
        return await self._json("DELETE", f"/api/v1/models/aliases/{_quoted(name)}")

    async def plugins(self) -> list[dict[str, Any]]:
        return list((await self._json("GET", "/api/v1/plugins"))["plugins"])

    async def change_plugin(self, plugin: str, verb: PluginVerb) -> dict[str, Any]:
        body = await self._json("POST", f"/api/v1/plugins/{_quoted(plugin)}/{verb}")
        return dict(body["plugin"])

    async def profiles(self) -> dict[str, Any]:
        return await self._json("GET", "/api/v1/profiles")

    async def use_profile(self, name: str) -> dict[str, Any]:
        return await self._json("POST", f"/api/v1/runtime/profile/{_quoted(name)}")

    async def configuration(self) -> dict[str, Any]:
        return await self._json("GET", "/api/v1/config/runtime")

    async def change_configuration(self, updates: Mapping[str, Any]) -> dict[str, Any]:
        return await self._json("POST", "/api/v1/config/runtime", {"updates": dict(updates)})

    async def configuration_backups(self, limit: int) -> dict[str, Any]:
        return await self._json("GET", f"/api/v1/config/backups?limit={limit}")

    async def configuration_differences(self, backup: str | None) -> dict[str, Any]:
        asked = "" if backup is None else f"?{urlencode({'backup_filename': backup})}"
        return await self._json("GET", f"/api/v1/config/differences{asked}")

    async def restore_configuration(self, backup: str) -> dict[str, Any]:
        return await self._json("POST", "/api/v1/config/restore", {"backup_filename": backup})

    async def erase_usage(self, key_id: str) -> int:
        path = f"/api/v1/usage?{urlencode({'key': key_id})}"
        return int((await self._json("DELETE", path))["lines"])

    async def sessions(self, limit: int) -> list[dict[str, Any]]:
        return list((await self._json("GET", f"{_SESSIONS}?limit={limit}"))["sessions"])

    async def session(self, session_id: str) -> list[dict[str, Any]]:
        whole = await self._json("GET", f"{_SESSIONS}/{quote(session_id, safe='')}")
        return latest_branch(whole["messages"])

    async def keep(self, session_id: str, exchange: Mapping[str, Any]) -> str:
        body = {("parent_message_id" if k == "parent" else k): v for k, v in exchange.items()}
        path = f"{_SESSIONS}/{quote(session_id, safe='')}/messages"
        return str((await self._json("POST", path, body))["message_id"])

    async def readiness(self) -> list[dict[str, Any]]:
        body = await self._json("GET", "/readyz", accept=(503,))
        return list(body["reasons"])

    async def doctor(self) -> list[dict[str, Any]]:
        """Run the checks here and not over HTTP: this installation is the server's as well."""
        host = await asyncio.to_thread(make_host)
        try:
            return [
                {"plugin": report.plugin, "check": report.check, **asdict(report.finding)}
                for report in await host.doctor()
            ]
        finally:
            await host.close()

    @contextlib.asynccontextmanager
    async def ask(
        self, model: str | None, body: Mapping[str, Any], *, explain: bool = False
    ) -> AsyncIterator[Answer]:
        request = {**body, "stream": True, "stream_options": {"include_usage": True}}
        if model is not None:
            request["model"] = model
        headers = {"Venom-Explain": "1"} if explain else {}
        asked_at = time.monotonic()
        path = "/v1/chat/completions"
        async with self._open("POST", path, request, ANSWER_TIMEOUT, headers) as response:
            received = response.headers
            explained = _explanation(received.get("venom-explain"))
            if "upstream_body" in explained:  # a long conversation does not fit a header
                explained["upstream_body"].setdefault("messages", body["messages"])
            async with contextlib.aclosing(_chunks(response)) as chunks:
                yield Answer(
                    reference=unquote(received.get("venom-model", "")),
                    chunks=chunks,
                    asked_at=asked_at,
                    because=_unquoted(received.get("venom-model-reason")),
                    headers={
                        _titled(name): value
                        for name, value in received.items()
                        if name.lower().startswith(("venom-", "x-"))
                        and name.lower() not in ("venom-explain", "x-accel-buffering")
                    },
                    origins=explained.get("origins"),
                    values=explained.get("values"),
                    upstream_body=explained.get("upstream_body"),
                )

    async def exchange(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Received:
        from venom_core.usecases.selftest.asking import Received

        every = tuple(range(400, 600))
        opened = self._open("POST", path, body, ANSWER_TIMEOUT, headers, accept=every)
        async with opened as response:
            return Received(response.status_code, response.headers, await response.aread())

    async def keep_self_test(
        self, reference: str, rows: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        path = f"/api/v1/models/{_quoted(reference)}/selftest"
        return await self._json("POST", path, body={"rows": list(rows)})

    async def benchmarks(self, limit: int) -> list[dict[str, Any]]:
        answer = await self._json("GET", f"/api/v1/benchmark/list?limit={limit}")
        return list(answer["benchmarks"])

    async def benchmark(self, benchmark_id: str) -> dict[str, Any]:
        answer = await self._json("GET", f"/api/v1/benchmark/{benchmark_id}/status")
        return dict(answer["benchmark"])

    async def begin_benchmark(self, models: Sequence[str], questions: int) -> str:
        body = {"models": list(models), "num_questions": questions}
        return str((await self._json("POST", "/api/v1/benchmark/start", body))["benchmark_id"])

    async def cancel_benchmark(self, benchmark_id: str) -> None:
        await self._json("POST", f"/api/v1/benchmark/{benchmark_id}/cancel")

    async def close(self) -> None:
        await self._client.aclose()

    async def _json(
        self, method: str, path: str, body: Any = None, accept: tuple[int, ...] = ()
    ) -> dict[str, Any]:
        async with self._open(method, path, body, ASK_TIMEOUT, accept=accept) as response:
            return dict(json.loads(await response.aread()))

    @contextlib.asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        body: Any,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> AsyncIterator[httpx.Response]:
        import httpx

        try:
            async with open_stream(
                self._client, method, path, json=body, headers=headers, read_timeout=timeout
            ) as response:
                if response.status_code >= 400 and response.status_code not in accept:
                    raise _refusal(response, await response.aread())
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unavailable(
                f"The server at {self.url} does not answer any more.",
                code="server_gone",
                fix="Start it again: venom serve",
            ) from error


def make_host() -> PluginHost:
    """Return the plugins of this installation, found and not yet loaded."""
    # Imported here: only `venom doctor` needs them, and they bring pydantic.
    from venom_core.plugins.host import PluginHost
    from venom_core.settings.layers import Settings

    paths = Paths.resolve()
    host = PluginHost(Settings.load(paths, os.environ), paths)
    host.scan()
    return host


def latest_branch(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages that lead to the latest answer, the first one first."""
    by_id = {message["id"]: message for message in messages}
    at = next((one for one in reversed(messages) if one["role"] != "user"), None)
    path = []
    while at is not None:
        path.append(at)
        at = by_id.get(at["parent_message_id"] or "")
    return path[::-1]


def _quoted(name: str) -> str:
    """Return a name as one part of a path: a name is opaque, and may hold slashes and dots."""
    return quote(name, safe=":@")


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)


def _titled(header: str) -> str:
    return "-".join(part.capitalize() for part in header.split("-"))


async def _events(response: httpx.Response) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the JSON of each event up to ``[DONE]``. Raises where the stream ends without it."""
    async for data in events(response.aiter_bytes()):
        if data == DONE:
            return
        body = json.loads(data)
        if isinstance(body, dict):
            yield body
    raise UpstreamIncomplete("The server closed the stream too early.", fix="Try again.")


async def _chunks(response: httpx.Response) -> AsyncGenerator[Chunk, None]:
    async with contextlib.aclosing(_events(response)) as events:
        async for body in events:
            if "error" in body:
                raise _broken_off(body["error"])
            event = decode(body, answer=False)
            if isinstance(event, Chunk):
                yield event


def _refusal(response: httpx.Response, data: bytes) -> VenomError:
    """Return the error that the server raised, from the body of either API's shape."""
    try:
        body = json.loads(data)
    except ValueError:
        body = {}
    record = body.get("error", body) if isinstance(body, dict) else {}
    words = dict(record) if isinstance(record, dict) else {}
    wait = numbers.seconds(response.headers.get("retry-after"), "server.retry-after", LONGEST_WAIT)
    words |= {"status": response.status_code, "retry_after": wait}
    return restored(words)


def _broken_off(record: Any) -> VenomError:
    """Return the error that ended a stream; no status goes with it."""
    words = record if isinstance(record, dict) else {}
    return restored({"type": UpstreamError.type, **words})


def _explanation(header: str | None) -> dict[str, Any]:
    """Decode the header: base64 of JSON, since a header may not hold every character."""
    try:
        found = json.loads(base64.b64decode(header or "", validate=True))
    except (ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}
