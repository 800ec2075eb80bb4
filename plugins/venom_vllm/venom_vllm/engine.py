"""The script that vLLM's interpreter runs: vLLM's own server, with every route behind our key.

vLLM asks for its key below ``/v1`` alone; ``/invocations`` beside it answers the chats of whoever
is on this machine. Nothing of Venom's has to be installed here.
"""

from __future__ import annotations

import hmac
import os
import runpy
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

SERVER = "vllm.entrypoints.openai.api_server"
#: Under which name vLLM finds :class:`KeyedRoutes`.
MODULE = "venom_vllm_engine"
MIDDLEWARE = f"{MODULE}.KeyedRoutes"
_KEY_VARIABLE = "VENOM_ENGINE_KEY"
_BODY = b'{"error": {"message": "Unauthorized", "type": "Unauthorized", "code": 401}}'

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class KeyedRoutes:
    """ASGI middleware that lets nobody in without the engine's key."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._wanted = f"Bearer {os.environ[_KEY_VARIABLE]}".encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] == "lifespan" or self._may(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            head = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 401, "headers": head})
            await send({"type": "http.response.body", "body": _BODY})

    def _may(self, scope: Message) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, self._wanted)


def main() -> None:
    """Run vLLM's server as its own ``python -m`` does; its workers import that module too."""
    sys.modules[MODULE] = sys.modules["__main__"]
    runpy.run_module(SERVER, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
