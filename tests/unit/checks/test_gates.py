"""The hard gates run on code; a diff of documentation alone prints its one line, no other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.checks.planted import git
from tools import gates
from tools.gates import GATES, SKIPPED, Change, decide, made
from tools.projects import ROOT

BEFORE = {
    "README.md": "# Venom\n",
    "docs/install.md": "# Install\n\nOne.\n",
    "docs/profiles.md": "# Profiles\n",
    "docs/conf.py": "x = 1\n",
    "venom_core/api.py": "def f() -> int:\n    return 1\n",
    "venom_core/docs/page.md": "# A page of the package\n",
    "plugins/venom_hf/README.md": "# venom-hf\n",
}
DOC_ONLY = """\
diff --git a/docs/install.md b/docs/install.md
--- a/docs/install.md
+++ b/docs/install.md
@@ -1,3 +1,3 @@
 # Install

-One.
+Two.
diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -1 +1,3 @@
 # Venom
+
+More.
"""
CODE = (
    DOC_ONLY
    + """\
diff --git a/venom_core/api.py b/venom_core/api.py
--- a/venom_core/api.py
+++ b/venom_core/api.py
@@ -1,2 +1,2 @@
 def f() -> int:
-    return 1
+    return 2
"""
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    for name, text in BEFORE.items():
        write(folder, name, text)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "before")
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(("diff", "needed"), [(DOC_ONLY, False), (CODE, True)])
def test_two_diffs(
    repository: Path, diff: str, needed: bool, committed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository.parent / "a.patch").write_text(diff)
    git(repository, "apply", str(repository.parent / "a.patch"))
    if committed:
        git(repository, "commit", "--quiet", "--all", "--message", "after")
    assert gates.main(["--root", str(repository), "--dry-run"]) == 0
    said = capsys.readouterr().out
    if needed:
        assert said == "code is changed: venom_core/api.py: make check test-web test\n"
    else:
        assert said == "doc-only change, hard gates skipped by policy\n"


def move(before: str, after: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / after).parent.mkdir(parents=True, exist_ok=True)
        git(folder, "mv", before, after)

    return change


def change(name: str, text: str = "# New\n") -> Callable[[Path], None]:
    return lambda folder: write(folder, name, text)


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def program(folder: Path) -> None:
    (folder / "docs/install.md").chmod(0o755)


def link(folder: Path) -> None:
    (folder / "docs/link.md").symlink_to("../venom_core/api.py")


def link_instead(folder: Path) -> None:
    (folder / "docs/install.md").unlink()
    (folder / "docs/install.md").symlink_to("../venom_core/api.py")


def nothing(_: Path) -> None:
    pass


CODE_CHANGES = {
    "code renamed into the documentation": move("venom_core/api.py", "docs/api.md"),
    "documentation renamed into code": move("docs/install.md", "venom_core/install.md"),
    "code is gone": gone("venom_core/api.py"),
    "a page of a package": change("venom_core/docs/page.md"),
    "a program in docs/": change("docs/conf.py", "x = 2\n"),
    "a new program in docs/": change("docs/new.py"),
    "a page that a command writes": change("docs/profiles.md"),
    "data in docs/": change("docs/grafana/board.json"),
    "what orders the pages": change("docs/nav.toml"),
    "a page of a plugin's package": change("plugins/venom_hf/venom_hf/README.md"),
    "a page of the tests": change("tests/unit/README.md"),
    "a page of the web": change("web/README.md"),
    "a suffix that is none": change("docs/page.MD"),
    "a workflow": change(".github/workflows/ci.yml"),
    "requirements": change("requirements/light.txt"),
    "a page that became a program": program,
    "a link among the pages": link,
    "a page that became a link": link_instead,
    "nothing": nothing,
}
DOC_CHANGES = {
    "the first page alone": change("README.md"),
    "a new page": change("docs/pl/new.md"),
    "a page with a name of its own": change("docs/ż ó.md"),
    "a page is gone": gone("docs/install.md"),
    "a page renamed": move("docs/install.md", "docs/installing.md"),
    "a decision": change("docs/adr/0001-x.md"),
    "a fragment of the changelog": change("changelog.d/x.fixed.md"),
    "a plugin's first page": change("plugins/venom_hf/README.md"),
    "the form of a pull request": change(".github/pull_request_template.md"),
    "a picture": change("docs/images/chat.png"),
}


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("name", CODE_CHANGES)
def test_what_is_code(repository: Path, name: str, committed: bool) -> None:
    CODE_CHANGES[name](repository)
    needed, why = decided(repository, committed)
    assert needed, why


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("name", DOC_CHANGES)
def test_what_is_documentation(repository: Path, name: str, committed: bool) -> None:
    DOC_CHANGES[name](repository)
    assert decided(repository, committed) == (False, SKIPPED)


def decided(repository: Path, committed: bool) -> tuple[bool, str]:
    if committed:
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--allow-empty", "--message", "after")
    return decide(repository, None)


def test_code_that_was_taken_back_is_no_change(repository: Path) -> None:
    """The whole branch counts, not each step of it."""
    write(repository, "venom_core/api.py", "broken\n")
    write(repository, "docs/install.md", "# Install\n\nTwo.\n")
    decided(repository, committed=True)
    write(repository, "venom_core/api.py", BEFORE["venom_core/api.py"])
    assert decided(repository, committed=True) == (False, SKIPPED)


def test_what_the_others_did_meanwhile_is_not_this_change(repository: Path) -> None:
    write(repository, "docs/install.md", "# Install\n\nTwo.\n")
    decided(repository, committed=True)
    git(repository, "checkout", "--quiet", "main")
    write(repository, "venom_core/api.py", "theirs\n")
    decided(repository, committed=True)
    git(repository, "checkout", "--quiet", "change")
    assert decide(repository, None) == (False, SKIPPED)


def test_no_base(repository: Path) -> None:
    write(repository, "docs/install.md", "# Install\n\nTwo.\n")
    needed, why = decide(repository, "no-such-commit")
    assert (needed, why) == (True, "no commit in common with no-such-commit: taken for code")
    git(repository, "branch", "--quiet", "-D", "main")
    needed, why = decide(repository, None)
    assert (needed, why) == (True, "no commit in common with origin/main or main: taken for code")


def test_a_history_without_a_common_commit(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--orphan", "other")
    write(repository, "docs/install.md", "# Install\n\nTwo.\n")
    needed, why = decided(repository, committed=True)
    assert needed
    assert why.startswith("no commit in common")


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert decide(tmp_path, None)[0]


def test_the_base_of_the_environment(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATES_BASE", "no-such-commit")
    write(repository, "docs/install.md", "# Install\n\nTwo.\n")
    assert gates.main(["--root", str(repository), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gates"] == list(GATES)
    monkeypatch.setenv("GATES_BASE", "")
    assert gates.main(["--root", str(repository), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"gates": [], "why": SKIPPED}


def test_a_red_gate_is_red(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the gates behind it are not asked."""
    write(repository, "venom_core/api.py", "x\n")
    folder = repository.parent / "bin"
    write(folder, "make", '#!/bin/sh\necho "$2" >> "$0.asked"\n[ "$2" != test-web ]\n')
    (folder / "make").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    assert gates.main(["--root", str(repository)]) == 1
    assert (folder / "make.asked").read_text().split() == ["check", "test-web"]


def test_gates_are_commands_of_this_repository() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{gate}:" in makefile for gate in (*GATES, "gates"))


@pytest.mark.parametrize(
    "name",
    [
        "docs/airgapped.md", "docs/dependencies.md", "docs/engines.md", "docs/plugins/sdk.md",
        "docs/profiles.md", "docs/pl/profiles.md", "docs/images/layers.svg",
    ],
)  # fmt: skip
def test_a_page_that_a_tool_writes_is_code(name: str) -> None:
    """Found by what the tools say of themselves, so that a new one needs no list."""
    assert name in made()
    assert not Change(name, ("100644", "100644")).is_documentation


def test_most_pages_are_written_by_people() -> None:
    assert len(made()) < len(list((ROOT / "docs").rglob("*.md"))) / 3
