"""The built site: what it is made from, and that its links are looked at."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.unit.docs.pages import DOCS
from tools.docs_site.links import broken
from tools.docs_site.staging import pointed, stage
from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.ui import contents, llms
from venom_core.ui.contents import LANGUAGES, Language

REFERENCE = ("Every operation", '<h1>Every operation</h1><a href="/docs/pl/api">the API</a>')


@pytest.mark.parametrize(
    ("target", "page", "expected"),
    [
        ("errors.md#no_model", "install", "errors.html#no_model"),
        ("../errors.md", "providers/onnx", "../errors.html"),
        ("../adr/index.md", "pl/architecture", "../adr/index.html"),
        ("#below", "install", "#below"),
        ("/docs/pl/openapi", "pl/api", "openapi.html"),
        ("/openapi.json", "pl/openapi", "../openapi.json"),
        ("https://example.org/a.md", "install", "https://example.org/a.md"),
    ],
)
def test_links_lead_to_files(target: str, page: str, expected: str) -> None:
    assert pointed(target, page) == expected


def test_every_page_is_staged_with_its_headings_and_its_twin(tmp_path: Path) -> None:
    config = json.loads(stage(tmp_path, tmp_path / "site", "pl", REFERENCE).read_text("utf-8"))
    records = json.loads((tmp_path / "pl.json").read_text("utf-8"))
    staged = {path.relative_to(tmp_path / "pl").as_posix()
              for path in (tmp_path / "pl").rglob("*.md")}  # fmt: skip
    written = {path.relative_to(DOCS / "pl").as_posix() for path in (DOCS / "pl").rglob("*.md")}
    assert staged == set(records) == written | {"openapi.md"}
    named = [place for section in config["nav"] for pages in section.values()
             for page in pages for place in page.values()]  # fmt: skip
    assert {place for place in named if not place.startswith("https://")} == staged
    english = next(one for one in records["providers/onnx.md"]["alternate"] if one["lang"] == "en")
    assert english["link"].endswith("/providers/onnx.html")
    assert 'href="api.html"' in (tmp_path / "pl" / "openapi.md").read_text("utf-8")
    headings = json.dumps(records["errors.md"]["toc"])
    assert '"id": "model_not_found"' in headings


PAGE = '<html><body id="top"><a href="{}">x</a>{}</body></html>'


@pytest.mark.parametrize(
    ("link", "more", "fault"),
    [
        ("b.html#there", "", None),
        ("#top", "", None),
        ("https://example.org/", "", None),
        ("gone.html", "", "gone.html leads to no file"),
        ("b.html#gone", "", "b.html#gone leads to no heading"),
        ("../outside.html", "", "../outside.html leads out of the site"),
        ("/b.html", "", "/b.html leads out of the site"),
        ("#top", '<img src="https://example.org/x.png">', "is fetched from elsewhere"),
        ("#top", '<script src="//example.org/x.js"></script>', "is fetched from elsewhere"),
        ("#top", '<link rel="stylesheet" href="none.css">', "none.css leads to no file"),
    ],
)
def test_a_link_that_leads_nowhere(tmp_path: Path, link: str, more: str, fault: str | None) -> None:
    (tmp_path / "a.html").write_text(PAGE.format(link, more))
    (tmp_path / "b.html").write_text('<h2 id="there">x</h2>')
    found = broken(tmp_path)
    if fault is None:
        assert found == []
    else:
        assert len(found) == 1 and found[0].startswith("a.html: ") and fault in found[0]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_language_models_get_each_page(tmp_path: Path, language: Language) -> None:
    app = create_app(Venom.from_environment({"VENOM_HOME": str(tmp_path)}))
    folder = "/docs/pl" if language == "pl" else "/docs"
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        index = await client.get(f"{folder}/llms.txt")
        full = await client.get(f"{folder}/llms-full.txt")
        assert index.status_code == full.status_code == 200
        assert index.headers["content-type"] == "text/plain; charset=utf-8"
        for page in contents.pages(DOCS, language):
            assert f"(/docs/{page.path}): " in index.text
            assert page.summary, f"{page.path} has no first paragraph: nobody is told what it is of"
            assert (await client.get(f"/docs/{page.path}")).status_code == 200
    assert full.text == llms.full(DOCS, language)
    assert "<!-- not run" not in full.text


async def test_the_served_pages_have_the_contents(tmp_path: Path) -> None:
    app = create_app(Venom.from_environment({"VENOM_HOME": str(tmp_path)}))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        page = (await client.get("/docs/pl/providers/onnx")).text
    assert '<a href="/docs/pl/providers/onnx" aria-current="page">' in page
    for section in contents.sections(DOCS, "pl"):
        assert section.title in page
