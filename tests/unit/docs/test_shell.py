"""Every block of commands is run by a test, or its page says why not; the same in each language."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT
from tests.unit.docs.shell import Block, blocks, faults, pages

POLISH = {
    page: page.parent / "README_PL.md"
    if page.name == "README.md"
    else ROOT / "docs" / "pl" / page.relative_to(ROOT / "docs")
    for page in pages()
    if page.name != "README_PL.md" and "pl" not in page.relative_to(ROOT).parts
}
BAD = """# Page

<!-- not run: no -->
```bash
venom one
```

<!-- run by: tests/gone.py -->
```bash
venom two
```

<!-- not run -->
```bash
venom three
```

<!-- run by: make nothing -->
```console
venom four
```

<!-- not run: it needs a card of NVIDIA's -->
```bash
venom five
```

```bash
venom six
```
"""


def test_what_pages_say_of_their_commands() -> None:
    wrong = [fault for page in pages() for block in blocks(page) for fault in faults(block)]
    assert wrong == []
    assert sum(block.is_run for page in POLISH for block in blocks(page)) > 15


@pytest.mark.parametrize("page", POLISH, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_both_languages_have_the_same_commands(page: Path) -> None:
    if not POLISH[page].exists():
        assert not blocks(page)  # a reference in English alone
        return
    ours, theirs = blocks(page), blocks(POLISH[page])
    assert [one.bare for one in theirs] == [one.bare for one in ours]
    assert [one.remark for one in theirs] == [one.remark for one in ours]


def test_a_bad_page_is_seen(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(BAD, encoding="utf-8")
    found = blocks(tmp_path / "page.md", tmp_path)
    assert [one.text.split()[1] for one in found] == ["one", "two", "three", "four", "five", "six"]
    nowhere = "is neither a file of this repository nor a stage of tools/ci.py"
    assert [fault for one in found for fault in faults(one)] == [
        "page.md:5: say why it is not run",
        f"page.md:10: tests/gone.py {nowhere}",
        "page.md:15: write <!-- not run: why --> or <!-- run by: PATH -->",
        f"page.md:20: make nothing {nowhere}",
    ]
    assert [one.is_run for one in found] == [False, False, True, False, False, True]


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ('venom run "What?"  # asks', 'venom run ""'),
        ("venom use a#b", "venom use a#b"),
        ("# all of it\nvenom list", "\nvenom list"),
    ],
)
def test_words_of_a_language_are_no_commands(text: str, bare: str) -> None:
    assert Block("page", 1, text, "").bare == bare
