"""The page of plugins on a real server: a failure and its fix, switching, settings, engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from acts import expect
from axe import violations
from stage import Stage

from tests.e2e.lab_plugin import BROKEN

if TYPE_CHECKING:
    from acts import OpenWindow


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Stage]:
    """A real server with a plugin of engines and a stranger's, which is broken at the start."""
    home = tmp_path / "home"
    home.mkdir()
    (home / BROKEN).touch()
    with Stage(home, STAGE_PLUGINS="played lab", LAB_FOLDER="/srv/lab") as running:
        yield running


def test_a_broken_plugin_is_mended_by_a_button(lab: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{lab.url}/plugins")
    card = page.get_by_role("article", name="lab", exact=True)
    expect(card).to_contain_text("raised RuntimeError")
    expect(card).to_contain_text("broken")
    expect(card.get_by_role("button", name="Copy: venom plugins check lab")).to_be_visible()
    (lab.home / BROKEN).unlink()
    card.get_by_role("button", name="Load anew: lab").click()
    mended = page.get_by_role("article", name="Lab", exact=True)
    expect(mended).to_contain_text("Answers from the lab.")
    expect(mended).not_to_contain_text("RuntimeError")


def test_a_plugin_is_switched_off_and_on(lab: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{lab.url}/plugins")
    other = open_window(f"{lab.url}/plugins", locale="pl-PL")
    page.get_by_role("button", name="Switch off: Played").click()
    card = page.get_by_role("article", name="played", exact=True)
    expect(card).to_contain_text("switched off")
    # Another window hears of it, and so does the next start.
    told = other.get_by_role("article", name="played", exact=True)
    expect(told).to_contain_text("wyłączona")
    for window in (page, other):
        window.goto("about:blank")
    lab.restart()
    page.goto(f"{lab.url}/plugins")
    expect(card).to_contain_text("switched off")
    card.get_by_role("button", name="Switch on: played").click()
    expect(page.get_by_role("article", name="Played", exact=True)).to_contain_text("chat")


def test_settings_are_checked_saved_and_kept(lab: Stage, open_window: OpenWindow) -> None:
    (lab.home / BROKEN).unlink()
    lab.restart()
    page = open_window(f"{lab.url}/plugins", bypass_csp=True)
    page.get_by_role("button", name="Settings of Lab").click()
    form = page.get_by_role("form", name="Settings of Lab")
    save = form.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    slots = form.get_by_label("Slots", exact=True)
    slots.fill("9")
    expect(form.get_by_role("alert")).to_contain_text("8")
    expect(save).to_be_disabled()
    slots.fill("4")
    form.get_by_label("Mode", exact=True).select_option("exact")
    form.get_by_label("Token", exact=True).fill("hunter2-secret")
    expect(form.get_by_label("Folder", exact=True)).to_be_disabled()
    expect(form).to_contain_text("LAB_FOLDER")
    assert violations(page) == []
    save.click()
    expect(form.get_by_role("status")).to_be_visible()
    expect(form.get_by_label("Token", exact=True)).to_have_value("")
    assert "hunter2-secret" not in page.content()
    kept = (lab.home / "config.toml").read_text(encoding="utf-8")
    assert "slots = 4" in kept and 'mode = "exact"' in kept and "hunter2" not in kept
    page.reload()
    page.get_by_role("button", name="Settings of Lab").click()
    expect(slots).to_have_value("4")
    form.get_by_role("button", name="Use the default of: Slots").click()
    save.click()
    expect(slots).to_have_value("2")


def test_an_engine_is_shown_with_its_log_and_stopped(lab: Stage, open_window: OpenWindow) -> None:
    logs = lab.home / "providers" / "played" / "engines"
    logs.mkdir(parents=True)
    (logs / "org-m.log").write_text("loading weights\nlistening\n", encoding="utf-8")
    page = open_window(f"{lab.url}/plugins")
    page.request.post(f"{lab.url}/api/v1/runtime/played/start")
    engine = page.get_by_role("article", name="played://org/m")
    expect(engine).to_contain_text("running")
    expect(engine).to_contain_text("8123")
    engine.get_by_role("button", name="Log of played://org/m").click()
    expect(engine.get_by_role("region", name="Log of org-m").locator("pre")).to_contain_text(
        "listening"
    )
    engine.get_by_role("button", name="Stop played://org/m").click()
    expect(page.get_by_text("None runs.")).to_be_visible()


def test_a_provider_is_tried_and_what_else_there_is_has_its_command(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/plugins")
    card = page.get_by_role("article", name="Scripted", exact=True)
    card.get_by_role("button", name="Self-test: Scripted").click()
    expect(card).to_contain_text("answered in")
    expect(card.get_by_role("blockquote")).to_have_text("Hello there.")
    more = page.get_by_role("region", name="What else could be installed")
    expect(more.get_by_role("button", name="Copy: venom plugins install ollama")).to_be_visible()
    command = more.get_by_role("button", name="Copy: venom engines install scripted-tools")
    expect(command).to_be_visible()
