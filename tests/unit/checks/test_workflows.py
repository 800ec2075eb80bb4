"""A workflow that may too much, runs what is not pinned, or has commands of its own."""

from __future__ import annotations

import pytest

from tests.unit.checks.planting import Plant
from tools.house import workflows

SHA = "11bd71901bbe5b1630ceea73d27597364c9af683"
GOOD = f"""# Linted, not run.
name: ci
on: [push]
permissions: {{}}
jobs:
  one:
    runs-on: ubuntu-24.04
    permissions:
      contents: read # to check it out
      id-token: write
    strategy:
      matrix:
        target: [test, e2e]
    steps:
      - uses: actions/checkout@{SHA} # v4.2.2
      - run: make check
      - run: make release FINAL=1
      - run: make "$TARGET"
        env:
          TARGET: ${{{{ matrix.target }}}}
"""
MAKEFILE = "check: dev\nrelease:\ntest:\ne2e:\n"


def found(plant: Plant, text: str) -> list[str]:
    return workflows.check(plant({".github/workflows/ci.yml": text, "Makefile": MAKEFILE}))


def test_one_that_is_as_it_should_be(plant: Plant) -> None:
    assert found(plant, GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("# Linted, not run.\n", "", "do not say that it was not run"),
        ("permissions: {}\n", "", "`permissions: {}` is missing"),
        ("permissions: {}\n", "permissions: write-all\n", "`permissions: {}` is missing"),
        ("contents: read", "contents: write", "may contents: write"),
        ("id-token: write", "packages: write", "may packages: write"),
        (f"@{SHA} # v4.2.2", "@v4", "not pinned"),
        (f"@{SHA} # v4.2.2", "@main # v4", "not pinned"),
        (f"@{SHA} # v4.2.2", f"@{SHA}", "not pinned"),
        (f"@{SHA}", f"@{SHA[:7]}", "not pinned"),
        ("actions/checkout@" + SHA, "docker://alpine:3", "not pinned"),
        ("run: make check", "run: pytest", "runs no command of the Makefile: pytest"),
        ("run: make check", "run: make check && true", "runs no command of the Makefile"),
        ("run: make check", "run: |", "runs no command of the Makefile"),
        ("run: make check", "run: make checks", "make checks is no command"),
        ("run: make check", "run: make ${{ github.head_ref }}", "runs no command"),
        ("[test, e2e]", "[test, e3e]", "make e3e is no command"),
        ("${{ matrix.target }}", "${{ secrets.TOKEN }}", "secrets. opens more"),
        ("on: [push]", "on: [pull_request_target]", "pull_request_target opens more"),
        ("runs-on: ubuntu-24.04", "runs-on: self-hosted", "self-hosted opens more"),
    ],
)
def test_a_rule_is_broken(plant: Plant, before: str, after: str, said: str) -> None:
    assert before in GOOD
    problems = found(plant, GOOD.replace(before, after))
    assert any(said in one for one in problems), problems


def test_no_workflow_is_no_problem(plant: Plant) -> None:
    assert workflows.check(plant({"README.md": "# Venom\n"})) == []
