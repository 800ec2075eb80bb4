"""The benchmark on the page, against a real server with the scripted engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
from acts import expect

if TYPE_CHECKING:
    from acts import OpenWindow
    from stage import Stage

SLOW = 60_000


def choose(page: Any, *models: str) -> None:
    for model in models:
        page.get_by_role("checkbox", name=re.compile(f"^{model}")).check(timeout=SLOW)


def test_models_are_measured_charted_and_deleted(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{stage.url}/benchmark", viewport={"width": 390, "height": 844})
    expect(page.get_by_text("Nothing was measured yet.")).to_be_visible()
    start = page.get_by_role("button", name="Measure", exact=True)
    expect(start).to_be_disabled()
    choose(page, "hello", "markdown")
    page.get_by_label("Questions for each").select_option("1")
    expect(page.get_by_text("That takes 4 short answers.")).to_be_visible()
    start.click()
    outcome = page.get_by_role("article")
    expect(outcome).to_have_count(1, timeout=SLOW)
    chart = outcome.get_by_role("figure", name="Chart: Tokens per second")
    expect(chart.get_by_role("listitem")).to_have_count(2)
    expect(chart.get_by_text("best")).to_have_count(1)
    outcome.get_by_text("As a table").click()
    rows = outcome.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="scripted://hello")).to_contain_text("complete")
    page.reload()
    expect(outcome).to_have_count(1)
    outcome.get_by_role("button", name=re.compile("^Delete the benchmark of")).click()
    outcome.get_by_role("button", name="Keep").click()
    outcome.get_by_role("button", name=re.compile("^Delete the benchmark of")).click()
    outcome.get_by_role("button", name="Delete for good?").click()
    expect(outcome).to_have_count(0, timeout=SLOW)
    expect(page.get_by_text("Nothing was measured yet.")).to_be_visible()


def test_one_under_way_is_seen_in_each_tab_and_cancelled(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/benchmark")
    choose(page, "silent", "hello")
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(
        page.get_by_role("status").filter(has_text="scripted://silent is answering")
    ).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("progressbar", name="Progress of the benchmark")).to_be_visible()
    other = open_window(f"{stage.url}/benchmark")
    other.get_by_role("button", name="Cancel", exact=True).click(timeout=SLOW)
    for tab in (page, other):
        outcome = tab.get_by_role("article")
        expect(outcome).to_contain_text("cancelled", timeout=SLOW)
        expect(outcome).to_contain_text("No model was measured.")
        expect(tab.get_by_role("checkbox").first).to_be_visible(timeout=SLOW)
    listed = httpx.get(f"{stage.url}/api/v1/benchmark/list", timeout=60).json()["benchmarks"]
    assert [one["status"] for one in listed] == ["cancelled"]
