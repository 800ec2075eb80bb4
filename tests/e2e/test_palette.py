"""Keys, the palette, and refusals whose fix is a button, on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from acts import choose, expect, finished, send
from axe import violations

if TYPE_CHECKING:
    from acts import OpenWindow
    from playwright.sync_api import Locator, Page
    from stage import Stage


def palette(page: Page) -> Locator:
    """Open the palette by its key, once the page hears keys."""
    expect(page.get_by_role("button", name="Find anything")).to_be_visible()
    page.keyboard.press("Control+k")
    found = page.get_by_role("dialog", name="Find anything")
    expect(found.get_by_role("combobox")).to_be_focused()
    return found


def test_a_chat_by_keyboard_alone(mirror: Stage, open_window: OpenWindow) -> None:
    page = open_window(mirror.url)
    message = page.locator("#message")
    expect(message).to_be_focused()
    palette(page)
    page.keyboard.type("slow")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Model: slow")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(message).to_be_focused()
    page.keyboard.type("Tell me")
    page.keyboard.press("Enter")
    answer = page.get_by_test_id("answer").last
    expect(answer).to_contain_text("word3")
    page.keyboard.press("Escape")
    expect(finished(answer)).to_contain_text("Stopped.")
    page.keyboard.press("Control+.")
    panel = page.get_by_role("complementary", name="Settings of this chat")
    expect(panel).to_be_visible()
    page.keyboard.press("Control+.")
    expect(panel).to_have_count(0)
    page.keyboard.press("Control+Shift+O")
    expect(page.get_by_test_id("answer")).to_have_count(0)
    expect(message).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys.get_by_text("Go to the message box")).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)


def test_the_palette_finds_pages_chats_models_and_looks(
    mirror: Stage, open_window: OpenWindow
) -> None:
    page = open_window(mirror.url, bypass_csp=True, reduced_motion="reduce")
    choose(page, "hello")
    finished(send(page, "Where do zebras sleep?"))
    found = palette(page)
    assert violations(page) == []
    page.keyboard.type("appdark")
    expect(found.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    palette(page)
    page.keyboard.type("plugins")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Plugins", level=1)).to_be_visible()
    palette(page)
    page.keyboard.type("zebra")
    expect(page.get_by_role("option", name="Where do zebras sleep?")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("article", name="You")).to_contain_text("zebras")
    found = palette(page)
    page.keyboard.type("qqqq")
    expect(found.get_by_text("Nothing is called that.").last).to_be_visible()
    page.keyboard.press("Escape")
    palette(page)
    page.keyboard.type("polski")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "pl")


def test_a_chat_is_found_by_what_was_said_in_it(mirror: Stage, open_window: OpenWindow) -> None:
    page = open_window(mirror.url)
    choose(page, "mirror")
    finished(send(page, "First line\nhippopotamus"))
    found = palette(page)
    page.keyboard.type("hippopot")
    expect(found.get_by_role("option", name="First line")).to_be_visible()


@pytest.mark.refusals(400)
def test_a_question_that_does_not_fit_is_asked_in_a_new_chat(
    mirror: Stage, open_window: OpenWindow
) -> None:
    page = open_window(mirror.url)
    choose(page, "tiny")
    answer = finished(send(page, "word " * 300))
    error = answer.get_by_test_id("error")
    expect(error).to_contain_text("context_length_exceeded")
    error.get_by_role("button", name="Ask it in a new chat").click()
    expect(page.locator("#message")).to_have_value(("word " * 300).strip())
    expect(page.locator("#message")).to_be_focused()
    page.locator("#message").fill("short")
    page.keyboard.press("Enter")
    expect(finished(page.get_by_test_id("answer").last).locator("pre")).to_contain_text("short")


@pytest.mark.refusals(400)
def test_what_a_model_refuses_is_left_out_by_a_button(
    mirror: Stage, open_window: OpenWindow
) -> None:
    page = open_window(mirror.url)
    choose(page, "mirror")
    page.get_by_role("button", name="Settings of this chat").click()
    form = page.get_by_role("combobox", name="Form of the answer")
    form.select_option("json")
    choose(page, "hello")
    error = finished(send(page, "Hello")).get_by_test_id("error")
    expect(error).to_contain_text("unsupported_parameter")
    error.get_by_role("button", name="Choose another model").click()
    expect(page.get_by_role("option", name="mirror")).to_be_visible()
    page.keyboard.press("Escape")
    error.get_by_role("button", name="Ask for plain text").click()
    expect(page.get_by_test_id("answer-text")).to_have_text("Hello there.")
