"""axe-core finds nothing on any screen, in light and in dark."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import scenarios
from axe import violations
from fake_api import FakeVenom
from fake_sessions import STORE_FULL
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _answer(page: Page, prompt: str) -> None:
    page.locator("#message").fill(prompt)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("answer").last).to_have_attribute("aria-busy", "false")


def _conversation(page: Page, _: FakeVenom) -> None:
    _answer(page, "markdown")
    _answer(page, "think")
    page.get_by_text("Thoughts").click()
    expect(page.locator("td").first).to_be_visible()


def _error(page: Page, _: FakeVenom) -> None:
    _answer(page, "no engine")
    expect(page.get_by_test_id("error")).to_be_visible()


def _chats(page: Page, fake: FakeVenom) -> None:
    """Everything that may stand beside the list, and a conversation that is not kept."""
    for title in ("one", "two", "three"):
        fake.sessions.add(title, "x", "y")
    fake.sessions.refusals["POST"] = (503, STORE_FULL)
    old = [{"role": "user", "content": "old"}]
    page.evaluate("(text) => localStorage.setItem('venom.chat.a', text)", json.dumps(old))
    page.reload()
    expect(page.get_by_test_id("untaken")).to_be_visible()
    _answer(page, "hi")
    expect(page.get_by_test_id("not-kept")).to_be_visible()
    page.get_by_role("button", name="Rename the chat “one”").click()
    page.keyboard.type("other")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chats-refused")).to_be_visible()
    page.get_by_role("button", name="Delete the chat “two”").click()
    expect(page.get_by_test_id("undo")).to_be_visible()
    page.get_by_role("button", name="Rename the chat “one”").click()
    expect(page.get_by_label("New title of the chat")).to_be_visible()


def _empty(page: Page, fake: FakeVenom) -> None:
    fake.scenario = scenarios.empty()
    fake.pace = 0.2
    page.reload()
    expect(page.get_by_role("button", name="Get SmolLM2 135M")).to_be_visible()
    page.get_by_role("region", name="Providers").get_by_text("Ollama", exact=True).click()


def _demo(page: Page, fake: FakeVenom) -> None:
    fake.scenario = scenarios.demo()
    page.reload()
    page.get_by_text("Get a model for real work").click()


def _models(page: Page, _: FakeVenom) -> None:
    page.get_by_role("button", name="Model: gemma3:4b").click()
    expect(page.get_by_role("dialog").get_by_role("option").first).to_be_visible()


def _connect(page: Page, _: FakeVenom) -> None:
    page.get_by_role("button", name="Connect a tool").click()
    expect(page.get_by_role("tabpanel")).to_be_visible()


def _key(page: Page, fake: FakeVenom) -> None:
    fake.key = "k"
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()


def _plugins(page: Page, fake: FakeVenom) -> None:
    page.goto(f"{fake.url}/plugins")
    expect(page.get_by_role("article")).to_have_count(len(scenarios.PLUGINS))


SCREENS: dict[str, Callable[[Page, FakeVenom], None]] = {
    "conversation": _conversation,
    "error": _error,
    "chats": _chats,
    "empty": _empty,
    "demo": _demo,
    "models": _models,
    "connect": _connect,
    "key": _key,
    "plugins": _plugins,
}


@pytest.mark.refusals(400, 401, 503)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_no_violation(
    screen: str, scheme: str, fake: FakeVenom, open_window: Callable[..., Any]
) -> None:
    # The policy is lifted for axe's script only; the other tests run under it. Reduced motion:
    # a colour in transition is no colour to judge.
    page = open_window(fake.url, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    SCREENS[screen](page, fake)
    assert violations(page) == []
