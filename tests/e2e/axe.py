"""Accessibility of what is on the screen, by axe-core, which comes with the page's packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fake_api import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

SOURCE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const result = await axe.run(document, { resultTypes: ["violations"] });
  return result.violations.map((v) => ({
    id: v.id, impact: v.impact, nodes: v.nodes.map((n) => n.html.slice(0, 160)),
  }));
}"""


def violations(page: Page) -> list[str]:
    """`rule (impact): first elements` for each violation, minor ones too.

    The page must have been opened with `bypass_csp=True`: the policy keeps foreign scripts out.
    """
    if not SOURCE.is_file():
        pytest.fail("axe-core is missing: run `npm ci` in web/", pytrace=False)
    page.add_script_tag(path=SOURCE)
    return [
        f"{found['id']} ({found['impact']}): {found['nodes'][:3]}" for found in page.evaluate(RUN)
    ]
