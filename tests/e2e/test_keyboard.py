"""Everything on the pages that look after models, plugins and settings, without a mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from acts import expect, post
from stage import Stage

if TYPE_CHECKING:
    from acts import OpenWindow
    from playwright.sync_api import Locator, Page

#: More than any page has.
MOST_STOPS = 250
#: What holds the focus: whether it is behind the last that did, whether an outline shows it, and
#: whether the middle of it is to be seen. Elements and not places: what comes late moves those.
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || !one.closest('main')) return null;
  let shown = one;
  while (shown && getComputedStyle(shown).outlineStyle === 'none') shown = shown.parentElement;
  window.stops ??= [];
  const before = window.stops.at(-1);
  window.stops.push(one);
  const box = one.getBoundingClientRect();
  const down = box.y + Math.min(box.height, 40) / 2;
  const top = document.elementFromPoint(box.x + box.width / 2, down);
  return {
    follows: !before || (before.compareDocumentPosition(one) & 4) > 0,  // behind it
    what: one.outerHTML.slice(0, 120),
    outlined: shown !== null,
    seen: top !== null && (one.contains(top) || top.contains(one)),
  };
}"""
#: What the tab key has to reach and did not; of a group of tabs that is the chosen one.
MISSED = """() => {
  const kinds = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  return [...document.querySelectorAll('main *')].filter((one) => one.matches(kinds)
    && one.tabIndex >= 0 && !one.disabled
    && one.checkVisibility({ visibilityProperty: true }) && !one.closest('[aria-hidden="true"]')
    && !window.stops.includes(one)
  ).map((one) => one.outerHTML);
}"""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "home", STAGE_SCENE="library") as running:
        yield running


def walk(page: Page) -> list[dict[str, Any]]:
    """Press the tab key from the beginning of the page's content to its end."""
    page.locator("main").focus()
    page.evaluate("window.stops = []")
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            return stops
        stops.append(stop)
    raise AssertionError(f"The tab key does not leave the page: {stops[-3:]}")


def walked(page: Page) -> None:
    stops = walk(page)
    assert [stop["what"] for stop in stops if not stop["follows"]] == [], "not the page's order"
    assert [stop["what"] for stop in stops if not stop["outlined"]] == []
    assert [stop["what"] for stop in stops if not stop["seen"]] == []
    assert page.evaluate(MISSED) == []


def opened_and_left(page: Page, opener: Locator, dialog: Locator) -> None:
    """Open a dialog with the keyboard: the focus stays in it, and comes back when it closes."""
    opener.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    inside = "(one) => one.contains(document.activeElement)"
    for _ in range(30):
        page.keyboard.press("Tab")
        held = "document.activeElement === document.body"
        assert dialog.evaluate(inside) or page.evaluate(held), page.evaluate(FOCUSED)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_models(library: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{library.url}/models")
    card = page.get_by_role("article", name="gemma")
    expect(card).to_be_visible()
    walked(page)
    details = page.get_by_role("dialog", name="gemma")
    opened_and_left(page, card.get_by_role("button", name="Details of gemma"), details)
    menu = card.get_by_role("button", name="More for gemma")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitemcheckbox").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    removal = page.get_by_role("dialog", name="Remove gemma?")
    expect(removal).to_be_visible()
    page.keyboard.press("Escape")
    expect(removal).to_have_count(0)
    expect(menu).to_be_focused()
    page.get_by_role("tab", name="Installed").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Get by name")).to_be_visible()
    walked(page)


def test_plugins(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{stage.url}/plugins")
    settings = page.get_by_role("button", name="Settings of Scripted")
    settings.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Workers")).to_be_visible()
    expect(settings).to_be_focused()
    expect(page.get_by_role("heading", name="hf")).to_be_visible()
    walked(page)
    page.get_by_role("button", name="Switch off").focus()
    page.keyboard.press("Enter")
    on = page.get_by_role("button", name="Switch on")
    expect(on).to_be_visible()


def test_settings(stage: Stage, open_window: OpenWindow) -> None:
    # Without a change before, the next one leaves no backup.
    post(f"{stage.url}/api/v1/config/runtime", {"updates": {"VENOM_QUEUE_SIZE": 64}})
    page = open_window(f"{stage.url}/config")
    places = page.get_by_role("textbox", name="Places in the queue")
    expect(places).to_be_visible()
    walked(page)
    places.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("77")
    review = page.get_by_role("button", name="Review and save")
    expect(review).to_be_enabled()
    # What waits at the lower edge to be saved hides no field that has the focus.
    walked(page)
    opened_and_left(page, review, page.get_by_role("dialog", name="Save these changes?"))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="saved")).to_be_visible()
    compare = page.get_by_role("button", name="Compare and restore").first
    opened_and_left(page, compare, page.get_by_role("dialog", name="Go back to"))
