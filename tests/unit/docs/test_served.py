"""The documentation as the server shows it: no link leads nowhere, in either language."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import httpx
import pytest

from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.sdk.errors import DOCS_ROOT
from venom_core.sdk.states import STATES_DOCS

_LINK = re.compile(r'href="([^"]+)"')
_ID = re.compile(r' id="([^"]+)"')


@pytest.fixture
async def client(tmp_path: Path) -> httpx.AsyncClient:
    app = create_app(Venom.from_environment({"VENOM_HOME": str(tmp_path)}))
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


@pytest.mark.parametrize("start", ["/docs/index", "/docs/pl/index"])
async def test_every_link_of_the_served_pages_leads_somewhere(
    client: httpx.AsyncClient, start: str
) -> None:
    anchors: dict[str, set[str]] = {}
    wanted: list[tuple[str, str, str]] = [("the start", start, "")]
    dead = []
    while wanted:
        source, page, anchor = wanted.pop()
        if page not in anchors:
            answer = await client.get(page)
            body = answer.text.partition("</nav>")[2] if answer.status_code == 200 else ""
            anchors[page] = set(_ID.findall(body))
            for target in _LINK.findall(body):
                url, fragment = urldefrag(urljoin(page, target))
                if not url.startswith(("http", "mailto:")):
                    wanted.append((page, url, unquote(fragment)))
            is_page = answer.headers.get("content-type", "").startswith("text/html")
            if answer.status_code != 200 or (is_page and not body):
                dead.append(f"{source} -> {page}: {answer.status_code}")
        if anchor and anchor not in anchors[page]:
            dead.append(f"{source} -> {page}#{anchor}: no such heading")
    assert not dead
    assert len(anchors) > 15


@pytest.mark.parametrize(
    ("page", "code"), [(DOCS_ROOT, "model_not_found"), (STATES_DOCS, "engine_missing")]
)
async def test_what_errors_and_reasons_link_to_is_there(
    client: httpx.AsyncClient, page: str, code: str
) -> None:
    answer = await client.get(page)
    assert answer.status_code == 200
    assert code in _ID.findall(answer.text)
