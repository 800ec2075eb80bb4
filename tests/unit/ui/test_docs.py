"""The documentation behind every ``docs`` of a refusal, without a network."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount

from venom_core.sdk import errors
from venom_core.ui.docs import Docs, render
from venom_core.ui.markdown import anchor


def client(root: Path) -> httpx.AsyncClient:
    app = Starlette(routes=[Mount("/docs", Docs((root,)))])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "pl").mkdir()
    (tmp_path / "index.md").write_text("# Venom\n\n[errors](errors.md#no_model)\n")
    (tmp_path / "errors.md").write_text("# Errors\n\n### `no_model`\n\nText <script>x</script>\n")
    (tmp_path / "pl" / "index.md").write_text("# Venom po polsku\n\n[b](../errors.md)\n")
    (tmp_path.parent / "secret.md").write_text("# secret")
    return tmp_path


async def test_a_code_has_its_anchor_and_html_is_not_interpreted(pages: Path) -> None:
    async with client(pages) as http:
        response = await http.get("/docs/errors")
        assert '<h3 id="no_model">' in response.text
        assert "<script>" not in response.text
        assert "script-src" not in response.headers["content-security-policy"]
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert 'href="/docs/errors#no_model"' in (await http.get("/docs/")).text
        polish = (await http.get("/docs/pl")).text
        assert 'lang="pl"' in polish
        assert 'href="/docs/errors"' in polish
        assert (await http.get("/docs/errors.md")).headers["location"] == "/docs/errors"


@pytest.mark.parametrize(
    "path",
    ["../secret", "..%2fsecret", "%2e%2e/secret", "nope", "errors/../../secret", "/etc/passwd"],
)
async def test_only_pages_of_the_folder_are_served(pages: Path, path: str) -> None:
    async with client(pages) as http:
        assert (await http.get(f"/docs/{path}")).status_code == 404


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("`ollama_down`", "ollama_down"), ("VENOM_PORT", "venom_port"), ("Two words!", "two-words")],
)
def test_anchors_are_those_of_code_hosts(heading: str, expected: str) -> None:
    assert anchor(heading.replace("`", "")) == expected


def test_no_two_headings_have_one_anchor() -> None:
    page = render("# `Usage`\n\n## `usage`\n\n## usage\n\n## other\n", "page")
    assert re.findall(r' id="([^"]+)"', page) == ["usage", "usage-1", "usage-2", "other"]


def test_every_error_of_the_sdk_points_to_a_heading_that_exists() -> None:
    root = Path(__file__).parents[3] / "docs"
    page = render((root / "errors.md").read_text("utf-8"), "errors")
    classes: list[type[errors.VenomError]] = [errors.VenomError]
    for cls in classes:  # grows while it is walked
        classes += cls.__subclasses__()
    codes = {cls.default_code for cls in classes}
    assert {"queue_full", "engine_missing"} <= codes
    missing = sorted(code for code in codes if f'id="{code}"' not in page)
    assert missing == []


async def test_what_anybody_can_ask_for_is_not_kept(pages: Path) -> None:
    docs = Docs((pages,))
    http = httpx.AsyncClient(transport=httpx.ASGITransport(docs), base_url="http://localhost")
    async with http:
        for number in range(20):
            assert (await http.get(f"/{number}.md")).status_code == 308
            with pytest.raises(HTTPException):
                await http.get(f"/{number}")
        assert (await http.get("/errors")).status_code == 200
    assert list(docs._pages) == ["errors"]


def test_remarks_are_for_those_who_write() -> None:
    source = "# A\n\n<!-- not run: why\nnot -->\n```html\n<!-- shown -->\n```\n"
    page = render(source, "page")
    assert "not run" not in page
    assert "&lt;!-- shown --&gt;" in page
