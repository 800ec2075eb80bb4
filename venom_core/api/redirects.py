"""A path with a slash too many or too few leads to the one that there is."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import Match, Router
from starlette.types import ASGIApp, Receive, Scope, Send


class WithOrWithoutSlash:
    """Answers where no route matched, in the place of the router's own redirects.

    Those name scheme, host and path as this server sees them, which behind a proxy are not the
    client's. A path alone keeps to whatever the client used.

    Args:
        root_path: what stands before every path behind a proxy; "" for nothing.
        otherwise: answers where the other path leads nowhere either.
    """

    def __init__(self, router: Router, root_path: str, otherwise: ASGIApp) -> None:
        self._router = router
        self._root_path = root_path
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        other = path.rstrip("/") if path.endswith("/") else path + "/"
        # A path that begins with two slashes would name another host.
        if not other or path.startswith("//") or not self._leads(scope, other):
            await self._otherwise(scope, receive, send)
            return
        target = self._root_path + quote(other, safe="/:@!$&'()*+,;=~")
        query = scope.get("query_string", b"").decode("latin-1")
        response = RedirectResponse(f"{target}?{query}" if query else target)
        await response(scope, receive, send)

    def _leads(self, scope: Scope, path: str) -> bool:
        there = {**scope, "path": path}
        return any(route.matches(there)[0] is not Match.NONE for route in self._router.routes)
