"""The documentation that the server shows: every page of it, in both languages and both themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe import violations
from fake_api import ROOT

if TYPE_CHECKING:
    from acts import OpenWindow
    from stage import Stage

DOCS = ROOT / "docs"
PAGES = sorted(
    path.relative_to(DOCS).with_suffix("").as_posix()
    for path in DOCS.rglob("*.md")
    if "_done" not in path.parts
)


@pytest.mark.parametrize(("scheme", "pages"), [("light", PAGES[::2]), ("dark", PAGES[1::2])])
@pytest.mark.timeout(300)
def test_a_page_of_the_documentation_is_accessible(
    scheme: str, pages: list[str], stage: Stage, open_window: OpenWindow
) -> None:
    """``/openapi`` beside them is made from the API's own description."""
    found = {}
    page = open_window(f"{stage.url}/docs", color_scheme=scheme, bypass_csp=True)
    for name in (*pages, "openapi" if scheme == "light" else "pl/openapi"):
        answer = page.goto(f"{stage.url}/docs/{name}")
        assert answer is not None and answer.status == 200, name
        if told := violations(page):
            found[name] = told
    assert found == {}
