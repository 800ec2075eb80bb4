"""The scope that each route needs: the one place that says it.

A route that is not here is for keys with the scope ``admin`` only, and a test names it. Keys
without scopes, requests where no key is needed and the user's own commands may do everything.
"""

from __future__ import annotations

import re

from venom_core.store.keys import SCOPES, Scope

Scopes = frozenset[Scope]

#: One of these is enough.
ANY: Scopes = frozenset(SCOPES)
CHAT: Scopes = frozenset({"chat"})
MODELS: Scopes = frozenset({"models"})
ADMIN: Scopes = frozenset({"admin"})

#: Needs no key.
NOTHING: Scopes = frozenset()

_ROUTES: dict[str, Scopes] = {
    "POST /v1/chat/completions": CHAT,
    "POST /v1/completions": CHAT,
    "POST /v1/embeddings": CHAT,
    "POST /v1/rerank": CHAT,
    "GET /api/version": ANY,
    "GET /api/tags": ANY,
    "GET /api/ps": ANY,
    "POST /api/show": ANY,
    "POST /api/chat": CHAT,
    "POST /api/generate": CHAT,
    "POST /api/embed": CHAT,
    "POST /api/embeddings": CHAT,
    "POST /api/pull": MODELS,
    "DELETE /api/delete": MODELS,
    "POST /api/copy": MODELS,
    "POST /api/create": MODELS,
    "POST /api/push": MODELS,
    "POST /v1/messages": CHAT,
    "POST /v1/messages/count_tokens": CHAT,
    "POST /v1/responses": CHAT,
    "GET /v1/responses/{response_id}": CHAT,
    "DELETE /v1/responses/{response_id}": CHAT,
    "GET /v1/responses/{response_id}/input_items": CHAT,
    "POST /v1/responses/{response_id}/cancel": CHAT,
    "GET /v1/models": ANY,
    "GET /v1/models/{model_id}": ANY,
    "GET /api/v1/session": NOTHING,
    "POST /api/v1/session": NOTHING,
    "DELETE /api/v1/session": NOTHING,
    "GET /api/v1/overview": ANY,
    "GET /api/v1/events": ANY,
    "GET /api/v1/models": ANY,
    "GET /api/v1/models/loaded": ANY,
    "GET /api/v1/models/{name}/details": ANY,
    "GET /api/v1/models/{name}/card": ANY,
    "GET /api/v1/models/{name}/capabilities": ANY,
    "GET /api/v1/models/{name}/config": ANY,
    "POST /api/v1/models/{name}/config": MODELS,
    "GET /api/v1/models/{name}/fit": ANY,
    "GET /api/v1/models/usage": ANY,
    "GET /api/v1/models/providers": ANY,
    "GET /api/v1/models/trending": ANY,
    "GET /api/v1/models/news": ANY,
    "GET /api/v1/models/search": ANY,
    "GET /api/v1/models/builds": ANY,
    "GET /api/v1/models/operations": ANY,
    "GET /api/v1/models/operations/{id}": ANY,
    "POST /api/v1/models/operations/{id}/pause": MODELS,
    "POST /api/v1/models/operations/{id}/resume": MODELS,
    "POST /api/v1/models/operations/{id}/cancel": MODELS,
    "POST /api/v1/models/install": MODELS,
    "POST /api/v1/models/registry/install": MODELS,
    "POST /api/v1/models/{format}/build": MODELS,
    "DELETE /api/v1/models/registry/{name}": MODELS,
    "GET /api/v1/models/aliases": ANY,
    "POST /api/v1/models/aliases": MODELS,
    "DELETE /api/v1/models/aliases/{name}": MODELS,
    "POST /api/v1/models/switch": MODELS,
    "POST /api/v1/models/deactivate": MODELS,
    "POST /api/v1/models/activate": MODELS,
    "POST /api/v1/models/unload-all": MODELS,
    "POST /api/v1/models/{name}/load": MODELS,
    "POST /api/v1/models/{name}/unload": MODELS,
    "GET /api/v1/models/{name}/selftest": ANY,
    "POST /api/v1/models/{name}/selftest": MODELS,
    # It asks /v1, so it needs the scope chat too.
    "POST /api/v1/models/{name}/selftest/run": MODELS,
    "DELETE /api/v1/models/{name}": MODELS,
    "GET /api/v1/translate": CHAT,
    "POST /api/v1/translate": CHAT,
    "POST /api/v1/translate/stream": CHAT,
    "POST /api/v1/llm/simple/stream": CHAT,
    "GET /api/v1/sessions": CHAT,
    "POST /api/v1/sessions": CHAT,
    "POST /api/v1/sessions/import": CHAT,
    "GET /api/v1/sessions/{id}": CHAT,
    "POST /api/v1/sessions/{id}/change": CHAT,
    "POST /api/v1/sessions/{id}/messages": CHAT,
    "POST /api/v1/sessions/{id}/answers": CHAT,
    "GET /api/v1/sessions/{id}/answers/{message_id}": CHAT,
    "POST /api/v1/sessions/{id}/answers/{message_id}/stop": CHAT,
    "DELETE /api/v1/sessions/{id}": CHAT,
    "GET /api/v1/sessions/{id}/export": CHAT,
    "POST /api/v1/benchmark/start": MODELS,
    "GET /api/v1/benchmark/list": ANY,
    "GET /api/v1/benchmark/{id}/status": ANY,
    "POST /api/v1/benchmark/{id}/cancel": MODELS,
    "DELETE /api/v1/benchmark/{id}": MODELS,
    "GET /api/v1/engines": MODELS | ADMIN,
    "GET /api/v1/runtime/status": MODELS | ADMIN,
    "GET /api/v1/runtime/history": MODELS | ADMIN,
    "GET /api/v1/runtime/{service}/log": ADMIN,
    "POST /api/v1/runtime/{service}/{action}": MODELS | ADMIN,
    "GET /api/v1/system/llm-runtime/active": ANY,
    "GET /api/v1/system/llm-runtime/options": ANY,
    "GET /api/v1/system/llm-servers": ANY,
    "POST /api/v1/system/llm-servers/{name}/{action}": MODELS | ADMIN,
    "GET /api/v1/system/llm-servers/active": ANY,
    "POST /api/v1/system/llm-servers/active": ADMIN,
    "GET /api/v1/system/status": ANY,
    "GET /api/v1/system/figures": MODELS | ADMIN,
    "GET /api/v1/system/services": ANY,
    "GET /api/v1/system/services/{name}": ANY,
    "GET /api/v1/plugins": ANY,
    "GET /api/v1/plugins/available": ANY,
    "GET /api/v1/plugins/{plugin_id}/settings": ADMIN,
    "POST /api/v1/plugins/{plugin_id}/{verb}": ADMIN,
    "GET /api/v1/profiles": ANY,
    "POST /api/v1/runtime/profile/{name}": ADMIN,
    "GET /api/v1/config/runtime": ADMIN,
    "POST /api/v1/config/runtime": ADMIN,
    "GET /api/v1/config/backups": ADMIN,
    "GET /api/v1/config/differences": ADMIN,
    "POST /api/v1/config/restore": ADMIN,
    # Without the scope admin a key sees its own usage only.
    "GET /api/v1/usage/summary": ANY,
    "GET /api/v1/usage/series": ANY,
    "GET /api/v1/usage/export.csv": ANY,
    "DELETE /api/v1/usage": ADMIN,
    "GET /api/v1/audit": ADMIN,
    "GET /api/v1/keys": ADMIN,
    "POST /api/v1/keys": ADMIN,
    "DELETE /api/v1/keys/{key_id}": ADMIN,
    # Without the scope admin a key sees and ends its own sign-ins only.
    "GET /api/v1/signins": ANY,
    "POST /api/v1/signins/links": ANY,
    "DELETE /api/v1/signins/{signin_id}": ANY,
    "GET /metrics": MODELS | ADMIN,
}

_PARAMETER = re.compile(r"\{[^}]*\}")


def key_of(method: str, path: str) -> str:
    """Return the key of a route, however a parameter is called and converted."""
    return f"{method} {_PARAMETER.sub('{}', path)}"


ROUTES = {key_of(*route.split(" ")): scopes for route, scopes in _ROUTES.items()}


def scopes_of(method: str, path: str) -> Scopes:
    """Return the scopes of a route, by its own path and not by the request's."""
    return ROUTES.get(key_of(method, path), ADMIN)
