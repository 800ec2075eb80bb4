"""Every page of the table as a picture: three widths, both themes, both languages.

`make screenshots` writes them into .cache/screenshots, to be looked at one by one, and the few that
the documentation shows into docs/images.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "e2e")]

from showroom import Showroom  # noqa: E402

from tools.browser import HOW, chromium  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TARGET = ROOT / ".cache" / "screenshots"
IMAGES = ROOT / "docs" / "images"
SIZES = ((1440, 900), (1024, 768), (390, 844))
THEMES = ("light", "dark")
LANGUAGES = {"en": "en-US", "pl": "pl-PL"}
#: Bytes of a picture of the documentation.
LARGEST = 120_000
SHOWN = (1200, 750)
BROWSER_ARGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
#: Something is on its way yet: the texts, or an answer.
SETTLED = """() => !document.documentElement.hasAttribute('data-pending')
  && ![...document.querySelectorAll('main [role=status]')]
    .some((one) => one.textContent.endsWith('…'))"""


#: What a page has once the scripts that it fetches later have drawn it.
DRAWN = {"conversation": "[data-testid=answer-text] pre code span"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as somebody sees it."""

    name: str
    path: str
    size: tuple[int, int]
    theme: str
    language: str

    @property
    def file(self) -> str:
        return f"{self.name}-{self.size[0]}-{self.theme}-{self.language}.png"


def pages(talk: str) -> dict[str, str]:
    """Return the path of each page by its name: the table's, and a conversation."""
    table = json.loads((ROOT / "web" / "lib" / "routes.json").read_text(encoding="utf-8"))
    return {**{one["name"]: one["path"] for one in table}, "conversation": f"/c/{talk}"}


def every(paths: dict[str, str]) -> Iterator[Picture]:
    for name, path in paths.items():
        for size, theme, language in itertools.product(SIZES, THEMES, LANGUAGES):
            yield Picture(name, path, size, theme, language)


def chosen(paths: dict[str, str]) -> Iterator[tuple[str, Picture]]:
    """Yield what the documentation shows, by the name of its file."""
    wanted = (
        ("page", "conversation", SHOWN, "light"), ("page-dark", "conversation", SHOWN, "dark"),
        ("page-phone", "conversation", SIZES[2], "dark"),
        ("page-settings", "config", SHOWN, "light"),
        ("page-benchmark", "benchmark", SHOWN, "light"), ("page-models", "models", SHOWN, "light"),
        ("page-plugins", "plugins", SHOWN, "dark"), ("page-usage", "usage", SHOWN, "light"),
    )  # fmt: skip
    for file, name, size, theme in wanted:
        if name in paths:
            yield f"{file}.png", Picture(name, paths[name], size, theme, "en")


def take(browser: Browser, url: str, picture: Picture, target: Path) -> None:
    context = browser.new_context(
        viewport={"width": picture.size[0], "height": picture.size[1]},
        color_scheme=picture.theme, locale=LANGUAGES[picture.language], reduced_motion="reduce",
    )  # type: ignore[arg-type]  # fmt: skip
    with contextlib.closing(context):
        page = context.new_page()
        page.goto(url + picture.path)
        page.locator("h1, article").first.wait_for(timeout=60_000)
        page.wait_for_function(SETTLED, timeout=60_000)
        if picture.name in DRAWN:
            page.locator(DRAWN[picture.name]).first.wait_for(timeout=60_000)
        page.wait_for_timeout(400)  # what is fetched once the browser is idle
        page.screenshot(path=target)


def main() -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="the pictures of one page")
    parser.add_argument("--chosen", action="store_true", help="those of the documentation alone")
    options = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    too_large = []
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        room = stack.enter_context(Showroom(home / "home"))
        playwright = stack.enter_context(sync_playwright())
        program = chromium(playwright.chromium.executable_path)
        if program is None:
            print(HOW, file=sys.stderr)
            return 1
        browser = playwright.chromium.launch(executable_path=program, args=[*BROWSER_ARGS])
        stack.callback(browser.close)
        paths = pages(room.talk)
        wanted = [] if options.chosen else [*every(paths)]
        for picture in wanted:
            if options.only in (None, picture.name):
                take(browser, room.url, picture, TARGET / picture.file)
                print(f".cache/screenshots/{picture.file}", flush=True)
        for file, picture in chosen(paths) if options.only is None else ():
            take(browser, room.url, picture, IMAGES / file)
            size = (IMAGES / file).stat().st_size
            print(f"docs/images/{file}  {size / 1000:.0f} KB", flush=True)
            too_large += [file] if size > LARGEST else []
    for file in too_large:
        print(f"docs/images/{file} is larger than {LARGEST / 1000:.0f} KB", file=sys.stderr)
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
