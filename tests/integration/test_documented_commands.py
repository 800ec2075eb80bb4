"""The commands of the documentation, run as they stand: real `venom`, a home of its own, a server.

Where a page says ``http://127.0.0.1:8366`` the server of its home answers, with the embedded engine
and its two models; Ollama's place is taken by the fake, with ``gemma3:4b`` on its list. The blocks
of a page follow each other in one home, as a reader runs them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.cli.processes import environment, home_with_models, running
from tests.unit.docs.pages import ROOT
from tests.unit.docs.shell import Block, blocks, pages
from venom_core.testing.deadlines import patience
from venom_core.testing.ollama import FakeOllama

#: The commands of the other language are the same, which is a test of its own.
PAGES = {
    page.relative_to(ROOT).as_posix(): found
    for page in pages()
    if page.name != "README_PL.md" and "pl" not in page.relative_to(ROOT).parts
    if (found := [block for block in blocks(page) if block.is_run])
}
#: What a command that waits for words gets.
TYPED = "What is the capital of Poland?\n"
ADDRESS = "http://127.0.0.1:8366"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody at a terminal: a folder, an environment, and a server that runs beside it."""

    folder: Path
    url: str
    env: dict[str, str]

    def run(self, block: Block) -> subprocess.CompletedProcess[str]:
        """Run a block as bash does, up to the first command that fails."""
        text = block.text.replace(ADDRESS, self.url)
        script = re.sub(r"^\$ ", "", text, flags=re.MULTILINE)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, env=self.env,
            input=TYPED, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=patience(100), check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as fake:
        fake.settings(keeps=True)
        fake.ask("/api/pull", {"model": "gemma3:4b"})
        yield fake


@pytest.fixture
def reader(tmp_path: Path, ollama: FakeOllama) -> Iterator[Reader]:
    home = home_with_models(tmp_path / "home")
    # Somebody who has used it: there is something to back up.
    (home / "config.toml").write_text('[server]\nlog_level = "info"\n', encoding="utf-8")
    folder = tmp_path / "work"
    bin_folder = folder / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    shutil.copy(Path(sys.executable).parent / "venom", bin_folder / "venom")
    address = ollama.url.removeprefix("http://")
    env = environment(home, OLLAMA_HOST=address, HOME=str(tmp_path), COLUMNS="200")
    env["PATH"] = f"{bin_folder}:{env['PATH']}"
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    with running(home, "serve", "--port", "0", OLLAMA_HOST=address) as server:
        yield Reader(folder, server.url(), env)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.timeout(400)
def test_the_commands_of_a_page(page: str, reader: Reader) -> None:
    for block in PAGES[page]:
        done = reader.run(block)
        assert done.returncode == 0, f"{page}:{block.line}\n{block.text}\n{done.stdout}"


def test_a_command_that_fails_is_seen(reader: Reader) -> None:
    done = reader.run(Block("page.md", 1, "venom profile use nothing\nvenom profile\n", ""))
    assert done.returncode != 0
    assert "nothing" in done.stdout and "light" in done.stdout
    assert reader.run(Block("page.md", 1, f"curl -fsS {ADDRESS}/nowhere\n", "")).returncode != 0
