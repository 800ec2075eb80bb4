"""`make docs`: build the site into .cache/docs-site, strictly, and check each of its links.

The pages are rendered here, by the server's renderer; MkDocs with the Material theme, in an
environment of its own from requirements/docs.txt, puts contents, search and looks around them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.apart import environment
from tools.docs_site.links import broken
from tools.docs_site.staging import stage
from tools.projects import ROOT
from venom_core.ui.contents import LANGUAGES, Language

HOME = ROOT / ".cache" / "docs"
SITE = ROOT / ".cache" / "docs-site"
_SAY = "Fetching MkDocs and its theme (exact versions, hashes checked)"


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where MkDocs warns or a link leads nowhere."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs_site", description=__doc__)
    parser.add_argument("--into", type=Path, default=SITE, help="the folder of the site")
    site: Path = parser.parse_args(arguments).into.absolute()
    started = time.monotonic()
    HOME.mkdir(parents=True, exist_ok=True)
    python = environment("docs", HOME / "env", _SAY)
    shutil.rmtree(site, ignore_errors=True)
    document, pages = _references()
    # English first: it empties its folder, which holds the Polish one.
    for language in LANGUAGES:
        config = stage(HOME, site, language, pages[language])
        if code := _mkdocs(python, config):
            return code
    (site / "openapi.json").write_text(document, encoding="utf-8")
    for one in site.rglob("404.html"):  # it is for the root of a host; this goes into any folder
        one.unlink()
    faults = broken(site)
    for fault in faults:
        print(fault, file=sys.stderr)
    count = sum(1 for _ in site.rglob("*.html"))
    shown = site.relative_to(ROOT) if site.is_relative_to(ROOT) else site
    print(f"{shown}: {count} pages, {len(faults)} broken links, {time.monotonic() - started:.0f} s")
    return 1 if faults else 0


def _references() -> tuple[str, dict[Language, tuple[str, str]]]:
    """Return the OpenAPI document as JSON, and the page of it in each language."""
    from venom_core.api.app import create_app
    from venom_core.composition import Venom
    from venom_core.ui.reference import render

    with tempfile.TemporaryDirectory(prefix="venom-docs-") as home:
        document = create_app(Venom.from_environment({"VENOM_HOME": home})).openapi()
    pages = {language: render(document, language) for language in LANGUAGES}
    return json.dumps(document, ensure_ascii=False), pages


def _mkdocs(python: Path, config: Path) -> int:
    command = [str(python), "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file"]
    # Its authors' notice of another program is no warning of ours.
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    return subprocess.run([*command, str(config)], cwd=HOME, env=quiet, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
