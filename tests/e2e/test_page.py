"""The page in a real browser: a conversation, and everything that may come between."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import scenarios
from acts import expect, finished, send
from fake_api import FakeVenom, export_folder

from venom_core.testing.deadlines import eventually

if TYPE_CHECKING:
    from acts import OpenWindow


@pytest.mark.e2e
@pytest.mark.smoke
def test_hi_gets_a_sensible_sentence(venom_url: str, open_window: OpenWindow) -> None:
    page = open_window(venom_url)
    answer = finished(send(page, "hi"), seconds=90)
    expect(page.get_by_test_id("error")).to_have_count(0)
    text = answer.get_by_test_id("answer-text").inner_text()
    assert re.search(r"[^\W\d_]{2,}", text), f"no word in the answer: {text!r}"
    expect(answer.get_by_test_id("figures")).to_contain_text("first token")


@pytest.mark.e2e
def test_a_conversation_is_kept_by_the_server(venom_url: str, open_window: OpenWindow) -> None:
    page = open_window(venom_url)
    chats = page.get_by_role("navigation", name="Chats").get_by_role("link")
    finished(send(page, "Say hello, please."), seconds=90)
    said = page.get_by_test_id("answer-text").text_content()
    assert said, "an answer without text"
    expect(page.get_by_test_id("not-kept")).to_have_count(0)
    # Another browser has the same.
    other = open_window(page.url)
    expect(other.get_by_role("article", name="You")).to_have_text("Say hello, please.")
    expect(other.get_by_test_id("answer-text")).to_have_text(said)
    expect(other.get_by_test_id("figures")).to_contain_text("first token")
    finished(send(other, "And again, please."), seconds=90)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("article", name="You")).to_have_count(2)
    count = chats.count()
    address = page.url
    page.get_by_role("button", name="Delete the chat “Say hello, please.”").first.click()
    expect(chats).to_have_count(count - 1)
    # Loaded again, a browser may still have the address of what was deleted.
    page.goto(address)
    expect(page).to_have_url(f"{venom_url}/")
    expect(chats).to_have_count(count - 1)


def test_an_answer_has_its_figures_and_survives_a_reload(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url)
    figures = finished(send(page, "hi")).get_by_test_id("figures")
    expect(figures).to_contain_text("ollama://gemma3:4b")
    expect(figures).to_contain_text("tokens/s")
    expect(figures).to_contain_text("7 tokens")
    asked = fake.chats[0]
    assert asked["messages"] == [{"role": "user", "content": "hi"}]
    page.reload()
    expect(page.get_by_test_id("answer-text")).to_have_text("Hello! How can I help you today?")
    finished(send(page, "again"))
    assert [message["content"] for message in fake.chats[1]["messages"]] == [
        "hi",
        "Hello! How can I help you today?",
        "again",
    ]
    assert fake.aborted == 0


def test_markdown_is_rendered_with_a_copy_button(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url, permissions=["clipboard-read", "clipboard-write"])
    answer = finished(send(page, "markdown"))
    expect(answer.locator("strong")).to_have_text("small")
    expect(answer.locator("ol > li")).to_have_count(2)
    expect(answer.locator("td").first).to_have_text("Ada")
    answer.get_by_role("button", name="Copy the code").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("def greet(")


def test_answer_again_replaces_the_answer(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    answer = finished(send(page, "hi"))
    answer.get_by_role("button", name="Answer again").click()
    finished(page.get_by_test_id("answer").last)
    expect(page.get_by_test_id("answer")).to_have_count(1)
    assert fake.chats[0]["messages"] == fake.chats[1]["messages"]


def test_who_waits_for_others_sees_the_place(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.places = [": queue 3", ": queue 2", ": ping", ": queue 0"]
    fake.pace = 0.8
    page = open_window(fake.url)
    answer = send(page, "hi")
    for place in (3, 2):
        expect(answer).to_contain_text(f"Waiting for others, place {place}.")
    expect(answer).not_to_contain_text("Waiting for others")
    expect(answer.get_by_test_id("answer-text")).to_contain_text("Hello")


def test_the_stop_button_aborts_the_request(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.pace = 0.05
    page = open_window(fake.url)
    answer = send(page, "count to 1000")
    expect(answer).to_contain_text("3 4 5")
    page.get_by_role("button", name="Stop").click()
    finished(answer)
    expect(answer.get_by_test_id("figures")).to_contain_text("Stopped.")
    expect(answer).to_contain_text("1 2 3")
    assert eventually(lambda: page.wait_for_timeout(50) or fake.aborted), "the server was not told"
    assert fake.aborted == 1


def test_the_keyboard_alone_is_enough(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.pace = 0.05
    page = open_window(fake.url)
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.type("count to")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("x")
    expect(page.locator("#message")).to_have_value("count to\nx")
    page.locator("#message").fill("")
    page.keyboard.type("count to 1000")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("answer")).to_contain_text("3 4 5")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("figures")).to_contain_text("Stopped.")
    expect(page.locator("#message")).to_be_focused()
    # From the top of the page the first stop is the skip link, which leads back.
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the message box")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_be_focused()


def test_typing_keeps_up_with_a_long_answer(fake: FakeVenom, open_window: OpenWindow) -> None:
    fake.pace = 0
    page = open_window(fake.url)
    answer = send(page, "count to 5000")
    typed = "the quick brown fox jumps over the lazy dog"
    page.keyboard.type(typed)
    expect(page.locator("#message")).to_have_value(typed)
    finished(answer, seconds=60)
    expect(answer.get_by_test_id("answer-text")).to_contain_text("4999 5000")
    expect(page.locator("#message")).to_have_value(typed)


def test_an_answer_is_announced_twice_not_by_the_word(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url)
    announcer = page.get_by_test_id("announcer")
    expect(announcer).to_have_attribute("aria-live", "polite")
    announcer.evaluate(
        """(element) => { window.said = []; new MutationObserver(() => {
          window.said.push(element.textContent);
        }).observe(element, { childList: true, characterData: true, subtree: true }); }"""
    )
    finished(send(page, "hi"))
    expect(announcer).to_contain_text("How can I help you")
    assert page.evaluate("window.said") == [
        "The answer is being written.",
        "Answer: Hello! How can I help you today?",
    ]


def test_thoughts_are_apart_from_the_answer(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    answer = finished(send(page, "think"))
    expect(answer.get_by_test_id("answer-text")).not_to_contain_text("The user waits.")
    answer.get_by_text("Thoughts").click()
    expect(answer.get_by_text("The user waits.")).to_be_visible()


@pytest.mark.refusals(400)
@pytest.mark.parametrize("prompt", sorted(scenarios.ERRORS))
def test_a_refusal_is_shown_with_its_code_and_fix(
    prompt: str, fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url)
    error = finished(send(page, prompt)).get_by_test_id("error")
    for part in ("message", "code", "fix"):
        expect(error).to_contain_text(scenarios.ERRORS[prompt][part])
    more = error.get_by_role("link", name=f"Read more: {scenarios.ERRORS[prompt]['code']}")
    expect(more).to_have_attribute("href", scenarios.ERRORS[prompt]["docs"])
    expect(more).to_have_attribute("target", "_blank")
    error.get_by_role("button", name="Try again").click()
    finished(page.get_by_test_id("answer"))
    assert len(fake.chats) == 2


def test_an_error_in_mid_stream_keeps_what_came(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    answer = finished(send(page, "break"))
    expect(answer.get_by_test_id("answer-text")).to_have_text("Hello! How can")
    expect(answer.get_by_test_id("error")).to_contain_text("engine_died")
    expect(answer.get_by_test_id("error")).to_contain_text("venom doctor shows whether")


def test_a_stream_without_its_end_is_an_error(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    error = finished(send(page, "cut")).get_by_test_id("error")
    expect(error).to_contain_text("The upstream broke off.")


def test_polish_by_the_browser_and_by_choice(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url, locale="pl-PL")
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    expect(page.get_by_role("heading", name="Czego chcesz się dowiedzieć?")).to_be_visible()
    expect(finished(send(page, "hi")).get_by_test_id("figures")).to_contain_text("7 tokenów")
    assert set(fake.languages) == {"pl"}
    with page.expect_request("**/api/v1/overview") as asked:
        page.get_by_label("Język").select_option("en")
    assert asked.value.headers["accept-language"] == "en"
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("link", name="New chat")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="New chat")).to_be_visible()


def test_the_theme_follows_the_system_until_it_is_chosen(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    assert dark != light
    page.get_by_label("Appearance").select_option("dark")
    assert page.evaluate(ground) == dark
    page.reload()
    assert page.evaluate(ground) == dark
    page.get_by_label("Appearance").select_option("system")
    assert page.evaluate(ground) == light


def test_the_theme_of_the_server_holds_until_one_is_chosen(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    fake.theme = "dark"
    page = open_window(fake.url, color_scheme="light")
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    expect(page.get_by_label("Appearance")).to_have_value("dark")
    # The next page is right before the server is asked.
    page.route("**/api/v1/**", lambda route: route.fulfill(status=200, body="<html>"))
    page.reload()
    expect(html).to_have_attribute("data-theme", "dark")
    page.unroute("**/api/v1/**")
    page.get_by_label("Appearance").select_option("system")
    page.reload()
    expect(page.get_by_role("button", name="Model: gemma3:4b")).to_be_visible()
    expect(html).not_to_have_attribute("data-theme", re.compile("."))
    expect(page.get_by_label("Appearance")).to_have_value("system")


@pytest.mark.refusals(400)
def test_an_error_keeps_the_language_it_was_said_in(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url, locale="pl-PL")
    error = finished(send(page, "no engine")).get_by_test_id("error")
    sentence = error.get_by_text(scenarios.ERRORS["no engine"]["message"])
    expect(sentence).to_have_attribute("lang", "pl")
    page.get_by_label("Język").select_option("en")
    expect(sentence).to_have_attribute("lang", "pl")
    page.reload()
    expect(page.get_by_text("Try again")).to_be_visible()
    expect(sentence).to_have_attribute("lang", "pl")


def test_a_broken_file_of_settings_is_told(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    expect(page.get_by_role("region", name="Providers")).to_contain_text("ready")
    expect(page.get_by_test_id("settings-warnings")).to_have_count(0)
    fake.scenario = scenarios.demo()
    page.reload()
    told = page.get_by_role("region", name="Settings")
    expect(told).to_contain_text(scenarios.BROKEN_FILE)


def test_a_provider_that_cannot_serve_says_why(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    providers = page.get_by_role("region", name="Providers")
    expect(providers).to_contain_text("ready")
    providers.get_by_text("llama.cpp", exact=True).click()
    for part in ("message", "code", "fix"):
        expect(providers).to_contain_text(scenarios.ENGINE_MISSING[part])


def test_a_model_is_chosen_by_keyboard_and_remembered(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url)
    page.get_by_role("button", name="Model: gemma3:4b").press("Enter")
    expect(page.get_by_placeholder("Find a model")).to_be_focused()
    options = page.get_by_role("dialog", name="Choose a model").get_by_role("option")
    expect(options).to_have_count(3)
    page.keyboard.type("qwen")
    expect(options).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Model: qwen3:8b")).to_be_visible()
    finished(send(page, "hi"))
    assert fake.chats[0]["model"] == "qwen3:8b"
    page.reload()
    expect(page.get_by_label("Model: qwen3:8b")).to_be_visible()


def test_the_plugins_page_shows_every_record(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(f"{fake.url}/plugins")
    for record in scenarios.PLUGINS:
        card = page.get_by_role("article", name=record["id"])
        expect(card).to_contain_text(record["version"])
        expect(card).to_contain_text(record["state"])
    lab = page.get_by_role("article", name="lab")
    expect(lab).to_contain_text("No module named 'labtools'")
    expect(lab.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("article", name="llamacpp")).to_contain_text("engine_missing")
    remote = page.get_by_role("article", name="remote")
    expect(remote).to_contain_text("limited")
    expect(remote).to_contain_text("1 of 2 servers does not answer.")


def test_a_narrow_screen_has_a_menu_and_nothing_beside_the_page(
    fake: FakeVenom, open_window: OpenWindow
) -> None:
    page = open_window(fake.url, viewport={"width": 390, "height": 844})
    finished(send(page, "markdown"))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Open the menu").click()
    page.get_by_role("dialog").get_by_role("link", name="Plugins").click()
    expect(page.get_by_role("heading", name="Plugins")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.refusals(404)
def test_an_unknown_page_leads_back(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(f"{fake.url}/nowhere")
    expect(page.get_by_role("heading", name="There is no such page.")).to_be_visible()
    page.get_by_role("link", name="Back to the chat").click()
    expect(page.locator("#message")).to_be_visible()


def test_a_server_that_went_away_is_noticed(fake: FakeVenom, open_window: OpenWindow) -> None:
    page = open_window(fake.url)
    expect(page.get_by_role("button", name="Model: gemma3:4b")).to_be_visible()
    # An unreadable answer stands for a server that is gone: a refused connection would be an error
    # line in the console.
    page.route("**/api/v1/**", lambda route: route.fulfill(status=200, body="<html>"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    lost = page.get_by_role("status", name="Providers")
    expect(lost).to_be_visible()
    page.unroute("**/api/v1/**")
    lost.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("region", name="Providers")).to_contain_text("ready")


def test_no_exported_page_has_inline_styles() -> None:
    pages = list(export_folder().rglob("*.html"))
    assert len(pages) >= 3
    for page in pages:
        html = page.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=", html), page.name
