"""The page of what runs, on a real server: figures, the profile, the active server, services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from acts import expect
from stage import Stage

if TYPE_CHECKING:
    from acts import OpenWindow

FIGURES = {
    "at": "2026-11-28T10:00:00Z",
    "cpu_percent": 12.0,
    "memory_used_mb": 1000.0,
    "memory_percent": 10.0,
    "gpu_percent": 55.0,
    "vram_used_mb": 4096.0,
    "vram_percent": 50.0,
    "disk_used_mb": 5000.0,
    "disk_percent": 50.0,
    "tokens_per_second": 20.0,
    "requests": 1,
    "refused": 0,
}


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Stage]:
    """A real server with a plugin whose engines are played."""
    with Stage(tmp_path / "home", STAGE_PLUGINS="played") as running:
        yield running


def test_charts_have_the_figures_and_a_table_each(played: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{played.url}/runtime")
    asked = {"model": "scripted://hello", "messages": [{"role": "user", "content": "x"}]}
    assert page.request.post(f"{played.url}/v1/chat/completions", data=asked).ok
    for name in ("Processor", "Memory", "Disk of the models", "Requests", "Tokens generated"):
        chart = page.get_by_role("figure", name=name)
        expect(chart.locator("canvas")).to_have_count(1)
        expect(chart.get_by_role("table")).to_have_count(1)
    processor = page.get_by_role("figure", name="Processor")
    expect(processor.get_by_role("cell").filter(has_text="%")).not_to_have_count(0)
    requests = page.get_by_role("figure", name="Requests")
    requests.get_by_role("button", name="Requests: as a table").click()
    expect(requests.locator("canvas")).to_have_count(0)
    expect(requests.get_by_role("columnheader", name="answered")).to_be_visible()
    # Something was drawn: of the canvas not every point is the background.
    canvas = processor.locator("canvas")
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    assert canvas.evaluate(drawn)


def test_a_graphics_card_is_charted_and_none_is_said(
    played: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{played.url}/runtime")
    told = page.request.get(f"{played.url}/api/v1/system/figures").json()
    if told["vram_total_mb"] == 0:
        expect(page.get_by_role("region", name="Graphics card")).to_contain_text("no graphics card")
    # A card is nothing that a server can be given for a test.
    body = json.dumps({**told, "vram_total_mb": 8192.0, "points": [FIGURES] * 9})
    page.route("**/system/figures*", lambda route: route.fulfill(
        body=body, content_type="application/json"
    ))  # fmt: skip
    memory = page.get_by_role("figure", name="Graphics memory, of 8.6 GB")
    expect(memory.get_by_role("cell").first).to_have_text("4.3 GB")
    expect(page.get_by_role("figure", name="Graphics card")).to_contain_text("55 %")


def test_a_hidden_tab_asks_for_no_figures(played: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{played.url}/runtime")
    expect(page.get_by_role("figure", name="Processor").locator("canvas")).to_have_count(1)
    hide = "Object.defineProperty(document, 'visibilityState', {get: () => %s, configurable: true})"
    page.evaluate(f"{hide % repr('hidden')}; document.dispatchEvent(new Event('visibilitychange'))")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # The clock of the page is turned on: what would be asked for in a minute is asked for now.
    page.clock.install()
    page.clock.run_for(60_000)
    assert [url for url in asked if "figures" in url] == []
    page.evaluate(
        f"{hide % repr('visible')}; document.dispatchEvent(new Event('visibilitychange'))"
    )
    with page.expect_request("**/system/figures*"):
        page.clock.run_for(5_000)


def test_a_profile_is_looked_at_and_switched_to(played: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{played.url}/runtime")
    other = open_window(f"{played.url}/runtime", locale="pl-PL")
    expect(page.get_by_role("article", name="Light")).to_contain_text("active")
    look = page.get_by_role("button", name="Look and switch: Without models")
    look.click()
    dialog = page.get_by_role("dialog", name="Switch to Without models")
    changes = dialog.get_by_role("region", name="What changes")
    expect(changes).to_contain_text("No model runs any more")
    expect(changes).to_contain_text("Answers no more: played, scripted")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(look).to_be_focused()
    expect(page.get_by_role("article", name="Light")).to_contain_text("active")
    look.click()
    dialog.get_by_role("button", name="Switch to Without models").click()
    expect(dialog.get_by_role("status")).to_contain_text("The profile llm_off is active.")
    expect(dialog.get_by_role("list", name="What became of it")).to_contain_text("backend")
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("article", name="Without models")).to_contain_text("active")
    # Another window hears of it, and it is in the history.
    expect(other.get_by_role("article", name="Bez modeli")).to_contain_text("aktywny")
    expect(page.get_by_role("region", name="What happened").locator("tbody")).to_contain_text(
        "llm_off"
    )


@pytest.mark.refusals(409, 500, 503)
def test_a_switch_that_is_refused_says_why(played: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{played.url}/runtime")
    # Two switches at once are a matter of milliseconds; the answer is the server's own.
    busy = {
        "detail": "The profile full is being made active.", "code": "profile_switching",
        "fix": "Try again in a moment.", "docs": "/docs/errors#profile_switching",
        "success": False, "message": "The profile full is being made active.",
    }  # fmt: skip
    page.route("**/runtime/profile/*", lambda route: route.fulfill(
        status=409, body=json.dumps(busy), content_type="application/json"
    ))  # fmt: skip
    page.get_by_role("button", name="Look and switch: Full").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Switch to Full").click()
    expect(dialog.get_by_role("group", name="profile_switching")).to_contain_text("being made")
    page.unroute("**/runtime/profile/*")
    dialog.get_by_role("button", name="Switch to Full").click()
    expect(dialog.get_by_role("status")).to_contain_text("The profile full is active.")


def test_a_service_is_started_restarted_and_stopped(played: Stage, open_window: OpenWindow) -> None:
    logs = played.home / "providers" / "played" / "engines"
    logs.mkdir(parents=True)
    (logs / "org-m.log").write_text("listening\n", encoding="utf-8")
    page = open_window(f"{played.url}/runtime")
    other = open_window(f"{played.url}/runtime")
    services = page.get_by_role("region", name="Services")
    service = services.get_by_role("article", name="Played")
    # A start warms a model up by itself: from here on it is as this test has it.
    page.request.post(f"{played.url}/api/v1/runtime/played/start")
    service.get_by_role("button", name="Restart: Played", exact=True).click()
    expect(service.get_by_role("status")).to_contain_text("played was restarted")
    service.get_by_role("button", name="Log of Played").click()
    expect(service.locator("pre")).to_contain_text("listening")
    service.get_by_role("button", name="Stop: Played").click()
    expect(service).to_contain_text("not running")
    expect(other.get_by_role("article", name="Played")).to_contain_text("not running")
    service.get_by_role("button", name="Start: Played").click()
    expect(service.get_by_role("status")).to_contain_text("played was started")
    happened = page.get_by_role("region", name="What happened").locator("tbody")
    expect(happened).to_contain_text("played was stopped.")
    # The server writes its log into the file that its card shows.
    core = services.get_by_role("article", name="Venom", exact=True)
    expect(core.get_by_role("button", name="Stop: Venom")).to_have_count(0)
    core.get_by_role("button", name="Log of Venom", exact=True).click()
    expect(core.locator("pre").or_(core.get_by_text("Nothing is in the log yet."))).to_be_visible()


def test_another_server_is_made_the_active_one(played: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{played.url}/runtime")
    part = page.get_by_role("region", name="Who answers where no model is named")
    part.get_by_label("Server").select_option(label="Scripted")
    part.get_by_label("Model").select_option(label="markdown")
    part.get_by_role("button", name="Make it active").click()
    expect(part.get_by_role("status")).to_contain_text("scripted is the active server")
    expect(part.get_by_test_id("active-server")).to_have_text("markdown, at Scripted")
