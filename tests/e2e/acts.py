"""Acts of a person on the page, and what they wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from venom_core.testing.deadlines import patience

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from stage import Stage

OpenWindow = Callable[..., Any]


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=patience(5_000))
    return playwright_expect(locator)


def send(page: Page, text: str) -> Locator:
    """Type a message and send it; the answer's article."""
    page.locator("#message").fill(text)
    page.keyboard.press("Enter")
    return page.get_by_test_id("answer").last


def finished(answer: Locator, seconds: float = 10) -> Locator:
    expect(answer).to_have_attribute("aria-busy", "false", timeout=seconds * 1000)
    return answer


def post(url: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
    """Ask the server as a program does; its first answer after the start may take a while."""
    headers = {"x-api-key": key} if key else {}
    return httpx.post(url, json=body, headers=headers, timeout=60)


def choose(page: Page, model: str) -> None:
    """Choose the model that answers."""
    picker = page.get_by_role("banner").get_by_label("Model:")
    picker.click()
    page.get_by_role("option", name=model).click()
    expect(page.get_by_label(f"Model: {model}")).to_be_visible()


def talk_to(model: str, stage: Stage, open_window: OpenWindow, **options: Any) -> Page:
    """Open the chat of a server, where the model answers."""
    page: Page = open_window(stage.url, **options)
    choose(page, model)
    return page
