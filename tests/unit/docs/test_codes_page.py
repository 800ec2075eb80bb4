"""The table of every code: made from the page of errors, red where that says something else."""

from __future__ import annotations

import pytest

from tests.unit.docs.pages import code_sections
from tools.codes_page import TARGETS, codes, rendered

PAGE = """# Errors

### `gone`

**404** It is `a.b` and gone. Look
elsewhere: `venom list`.

More.

### `bare`

It is down.
"""


@pytest.mark.parametrize("language", TARGETS)
def test_every_code_has_its_row(language: str) -> None:
    text = TARGETS[language].read_text("utf-8")
    assert rendered(language) == text
    for code in code_sections(TARGETS[language].with_name("errors.md")):
        assert f"\n| [`{code}`](errors.md#{code})" in text


def test_what_and_what_to_do() -> None:
    assert codes(PAGE) == [
        "| [`gone`](errors.md#gone) 404 | It is `a.b` and gone. | Look elsewhere: `venom list`. |",
        "| [`bare`](errors.md#bare) | It is down. | – |",
    ]
