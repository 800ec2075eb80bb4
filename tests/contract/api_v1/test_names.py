"""Every route that has a model's name in its path takes every name that a model may have."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract.api_v1.recording import application
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say

BODIES = {
    "/config": {"params": {}},
    "/selftest": {"rows": [{"group": "answers", "name": "chat", "outcome": "honoured"}]},
}
NAMES = ("a/b", "a:b", "org/model@rev", "registry/x", "x/config", "operations/1", "install")
#: What a model is built into, ``{format}``, is no name of a model.
_ROUTE = re.compile(r"/api/v1/models/\{(?!format\})[a-z_]+\}(/[a-z]+)?")


@pytest.mark.parametrize("encoded", [False, True], ids=["as it is", "percent-encoded"])
@pytest.mark.parametrize("qualified", [False, True], ids=["bare", "provider://"])
@pytest.mark.parametrize("name", NAMES)
async def test_a_route_takes_the_whole_name(
    tmp_path: Path, name: str, qualified: bool, encoded: bool
) -> None:
    asked = f"scripted://{name}" if qualified else name
    async with application(tmp_path) as (client, schema):
        scripted.SCRIPTS[name] = Script(say("x"))
        calls = [
            (method.upper(), found[1] or "")
            for path, methods in schema["paths"].items()
            if (found := _ROUTE.fullmatch(path))
            for method in methods
        ]
        assert {suffix for _, suffix in calls} >= {
            "", "/details", "/capabilities", "/config", "/fit", "/unload",
        }  # fmt: skip
        for method, suffix in sorted(calls, key=lambda call: call[0] == "DELETE"):
            if method == "DELETE" and name.startswith("registry/") and not qualified:
                continue  # hidden behind DELETE /models/registry/{name}: that is what :// is for
            path = f"/api/v1/models/{quote(asked, safe='') if encoded else asked}{suffix}"
            body = BODIES.get(suffix) if method == "POST" else None
            response = await client.request(method, path, json=body)
            if suffix == "/card":  # of sources, which the scripted provider is not
                assert response.status_code in (200, 400), f"{method} {path}: {response.text}"
                continue
            assert response.status_code == 200, f"{method} {path}: {response.text}"
            assert name in response.text
        is_hidden = name.startswith("registry/") and not qualified
        assert (name in scripted.SCRIPTS) == is_hidden, "the last call removed it"
