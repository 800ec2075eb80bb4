"""The documentation says when a change of each setting counts; the page names each setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from venom_core.settings.core import CORE_SETTINGS, CoreSetting

DOCS = Path(__file__).parents[3] / "docs"
#: A page, how a setting's line begins, and how it ends: where it counts at once and where not.
PAGES = (
    ("configuration.md", "In the file", "Counts at once.", "Counts from the next start on."),
    ("pl/configuration.md", "W pliku", "Liczy się od razu.", "Liczy się od następnego startu."),
)


@pytest.mark.parametrize("part", CORE_SETTINGS, ids=lambda part: part.key)
@pytest.mark.parametrize("page", PAGES, ids=["en", "pl"])
def test_when_a_change_counts_is_said(page: tuple[str, str, str, str], part: CoreSetting) -> None:
    name, begins, at_once, later = page
    lines = (DOCS / name).read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith(f"{begins} `{part.key}`:")]
    assert line.endswith(at_once if part.live else later)


def test_the_page_has_a_name_for_each_setting_in_each_language() -> None:
    names = (DOCS.parent / "web/lib/i18n/areas/config-names.ts").read_text(encoding="utf-8")
    unnamed = [part.key for part in CORE_SETTINGS if names.count(f'    "{part.key}": ') != 2]
    assert unnamed == []
