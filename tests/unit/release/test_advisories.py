"""pip-audit's answers: none, one about nothing, one about all; the first two are no green."""

from __future__ import annotations

import json

import pytest

from tools.releasing.advisories import findings
from tools.releasing.release import NotRun

CLEAN = {"name": "httpx", "version": "1.3", "vulns": []}
SKIPPED = {"name": "rich", "skip_reason": "Dependency not found and could not be audited"}
BAD = {
    "name": "jinja2",
    "version": "2.4",
    "vulns": [{"id": "CVE-2019-8341", "fix_versions": ["2.11.3"]}, {"id": "GHSA-x"}],
}


def answer(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_nothing_is_known() -> None:
    assert list(findings(answer(CLEAN, CLEAN), "")) == []


def test_something_is_known() -> None:
    assert list(findings(answer(CLEAN, BAD), "")) == [
        "jinja2 2.4: CVE-2019-8341, mended in 2.11.3",
        "jinja2 2.4: GHSA-x, mended in no version",
    ]


@pytest.mark.parametrize(
    ("output", "errors", "said"),
    [
        (answer(SKIPPED, SKIPPED), "", "0 of 2 packages"),
        (answer(CLEAN, SKIPPED), "", "1 of 2 packages"),
        (answer(), "", "0 of 0 packages"),
        ("", "a traceback\nConnectionError: no name", "ConnectionError: no name"),
        ("not JSON", "", "it said nothing"),
        ("{}", "", "it said nothing"),
    ],
)
def test_it_could_not_run(output: str, errors: str, said: str) -> None:
    """It ends with 0 in the first of these."""
    with pytest.raises(NotRun, match=said):
        list(findings(output, errors))


def test_what_is_known_is_told_though_something_was_skipped() -> None:
    found = findings(answer(BAD, SKIPPED), "")
    assert next(found).startswith("jinja2")
