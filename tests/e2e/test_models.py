"""The models page on a real server: what is installed, and what is done with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from acts import expect, finished, send
from axe import violations
from stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acts import OpenWindow
    from playwright.sync_api import Locator


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Stage]:
    """A server with models of every kind."""
    with Stage(tmp_path / "home", STAGE_SCENE="library") as running:
        yield running


def begin(stage: Stage, name: str) -> str:
    """Begin an install as another program does; the id of its operation."""
    began = httpx.post(f"{stage.url}/api/v1/models/install", json={"name": f"scripted://{name}"})
    return str(began.raise_for_status().json()["operation_id"])


def asked(stage: Stage, path: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{stage.url}{path}").raise_for_status().json()
    return found


def test_what_is_installed_is_told_filtered_and_ordered(
    library: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{library.url}/models")
    cards = page.get_by_role("article")
    expect(cards).to_have_count(3)
    gemma = page.get_by_role("article", name="gemma")
    for fact in ("3.3 GB", "Q4_K_M", "8,192 tokens of context", "on this machine", "Scripted"):
        expect(gemma).to_contain_text(fact)
    expect(gemma).to_contain_text("tools: as its source says, not tested")
    expect(page.get_by_role("article", name="away")).to_contain_text("on gpu.example")
    expect(
        page.get_by_text(re.compile(r"^3\.6\sGB on the disk, [\d.,]+\s[GM]B free$"))
    ).to_be_visible()
    page.get_by_label("Order").select_option(label="largest first")
    assert [card.get_attribute("aria-label") for card in cards.all()] == ["gemma", "nomic", "away"]
    page.get_by_label("Can").select_option(label="embedding")
    expect(cards).to_have_count(1)
    expect(page.get_by_text("1 of 3 models")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Where").select_option(label="elsewhere")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("away")
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Find among the installed").fill("gem Q4")
    expect(cards).to_have_count(1)
    page.get_by_label("Find among the installed").fill("nothing like it")
    expect(page.get_by_text("No installed model matches.")).to_be_visible()


def test_a_role_is_given_and_taken_by_keyboard(library: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{library.url}/models")
    gemma = page.get_by_role("article", name="gemma")
    gemma.get_by_role("button", name="More for gemma").press("Enter")
    role = page.get_by_role("menuitemcheckbox", name="Translates")
    expect(role).to_have_attribute("aria-checked", "false")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(gemma.get_by_role("status")).to_contain_text("is now the active model for translation")
    expect(gemma).to_contain_text("translates")
    expect(gemma.get_by_role("button", name="More for gemma")).to_be_focused()
    expect(page.get_by_role("article", name="nomic")).not_to_contain_text("translates")
    gemma.get_by_role("button", name="More for gemma").click()
    page.get_by_role("menuitemcheckbox", name="Translates").click()
    expect(gemma.get_by_role("status")).to_contain_text("No model is active for translation now.")
    # What only embeds answers no chat.
    page.get_by_role("button", name="More for nomic").click()
    expect(page.get_by_role("menuitemcheckbox")).to_have_count(1)


def test_a_model_is_taken_out_of_memory(library: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{library.url}/models")
    gemma = page.get_by_role("article", name="gemma")
    expect(gemma).to_contain_text("in memory")
    page.get_by_role("button", name="More for gemma").click()
    page.get_by_role("menuitem", name="Take out of memory").click()
    expect(gemma.get_by_role("status")).to_contain_text("is no longer in memory")


def test_a_removal_says_what_it_frees_and_asks(library: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{library.url}/models")
    more = page.get_by_role("button", name="More for nomic")
    more.click()
    page.get_by_role("menuitem", name="Remove…").click()
    dialog = page.get_by_role("dialog", name="Remove nomic?")
    expect(dialog).to_contain_text("This frees up to 270 MB")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("article", name="nomic")).to_be_visible()
    more.click()
    page.get_by_role("menuitem", name="Remove…").click()
    dialog.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("article", name="nomic")).to_have_count(0)
    assert "nomic" not in [model["name"] for model in asked(library, "/api/v1/models")["models"]]


@pytest.mark.refusals(400)
def test_what_is_in_use_is_not_removed_and_says_why(
    library: Stage, open_window: OpenWindow
) -> None:
    switch = {"name": "scripted://gemma", "role": "chat"}
    httpx.post(f"{library.url}/api/v1/models/switch", json=switch).raise_for_status()
    page = open_window(f"{library.url}/models")
    page.get_by_role("button", name="More for gemma").click()
    page.get_by_role("menuitem", name="Remove…").click()
    page.get_by_role("button", name="Remove it").click()
    error = page.get_by_role("article", name="gemma").get_by_test_id("error")
    expect(error).to_contain_text("model_active")


@pytest.mark.refusals(400)
def test_parameters_are_set_refused_and_forgotten(library: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{library.url}/models")
    page.get_by_role("button", name="Details of gemma").click()
    dialog = page.get_by_role("dialog", name="gemma")
    expect(dialog).to_contain_text("scripted://gemma")
    dialog.get_by_role("tab", name="Parameters").click()
    field = dialog.get_by_label("temperature", exact=True)
    field.fill("warm")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    expect(dialog).to_contain_text("This is no number.")
    field.fill("9")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_test_id("error")).to_contain_text("invalid_parameters")
    field.fill("0,2")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("button", name="Forget all of mine")).to_be_visible()
    config = "/api/v1/models/scripted://gemma/config"
    assert asked(library, config)["saved"] == {"temperature": 0.2}
    dialog.get_by_role("button", name="Forget all of mine").click()
    expect(dialog.get_by_role("button", name="Forget all of mine")).to_have_count(0)
    assert asked(library, config)["saved"] == {}


def test_another_name_is_given_and_forgotten(library: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{library.url}/models")
    page.get_by_role("button", name="Details of gemma").click()
    dialog = page.get_by_role("dialog", name="gemma")
    dialog.get_by_role("tab", name="Aliases").click()
    dialog.get_by_label("New name").fill("gpt-4o")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("listitem")).to_contain_text("gpt-4o")
    assert asked(library, "/api/v1/models/aliases")["aliases"][0]["target"] == "scripted://gemma"
    dialog.get_by_role("button", name="Forget the name gpt-4o").click()
    expect(dialog).to_contain_text("It has no other name.")


def test_a_name_of_a_model_that_is_gone_can_be_forgotten(
    library: Stage, open_window: OpenWindow
) -> None:
    for name, target in (("old", "scripted://nomic"), ("fast", "scripted://gemma")):
        alias = {"name": name, "target": target}
        httpx.post(f"{library.url}/api/v1/models/aliases", json=alias).raise_for_status()
    page = open_window(f"{library.url}/models")
    strays = page.get_by_role("region", name="Other names")
    expect(page.get_by_role("article")).to_have_count(3)
    expect(strays).to_have_count(0)
    httpx.delete(f"{library.url}/api/v1/models/scripted%3A%2F%2Fnomic").raise_for_status()
    expect(strays.get_by_role("listitem")).to_have_count(1)
    expect(strays).to_contain_text("old stands for scripted://nomic")
    strays.get_by_role("button", name="Forget the name old").click()
    expect(strays.get_by_role("listitem")).to_have_count(0)
    expect(strays.get_by_role("status")).not_to_be_empty()
    assert [one["name"] for one in asked(library, "/api/v1/models/aliases")["aliases"]] == ["fast"]


def test_a_chat_begins_with_the_model_that_was_clicked(
    library: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{library.url}/models")
    page.get_by_role("link", name="Chat with away").click()
    expect(page.get_by_role("button", name="Model: away")).to_be_visible()
    finished(send(page, "hi"))


@pytest.mark.refusals("away")
def test_an_install_is_paused_survives_a_restart_and_goes_on(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/models")
    expect(page.get_by_role("article")).not_to_have_count(0)
    begin(stage, "large")
    going = page.get_by_role("region", name="Being fetched")
    expect(going).to_contain_text("Fetching scripted://large")
    meter = going.get_by_role("progressbar")
    expect(meter).not_to_have_attribute("value", "0")
    expect(going).to_contain_text("/s")
    expect(going).to_contain_text("left")
    going.get_by_role("button", name="Pause").click()
    expect(going).to_contain_text("Paused; what has come is kept.")
    expect(going.get_by_role("button", name="Go on with")).to_be_visible()
    came = meter.get_attribute("value")
    stage.restart()
    page.reload()
    expect(going).to_contain_text("Paused; what has come is kept.")
    expect(meter).to_have_attribute("value", came)
    going.get_by_role("button", name="Go on with").click()
    expect(going.get_by_role("button", name="Pause")).to_be_visible()
    going.get_by_role("button", name="Cancel").click()
    expect(going).to_have_count(0)


@pytest.mark.refusals("away")
def test_what_was_under_way_at_a_restart_goes_on_by_itself(
    stage: Stage, open_window: OpenWindow
) -> None:
    begin(stage, "stuck")
    page = open_window(f"{stage.url}/models")
    going = page.get_by_role("region", name="Being fetched")
    expect(going).to_contain_text("50 MB of 100 MB")
    stage.restart()
    # The page was not touched: it hears the new server by itself.
    expect(going.get_by_role("button", name="Pause")).to_be_visible()
    going.get_by_role("button", name="Cancel").click()
    expect(going).to_have_count(0, timeout=20_000)


def test_several_at_once_each_by_itself(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{stage.url}/models")
    begin(stage, "stuck")
    begin(stage, "tiny")
    going = page.get_by_role("region", name="Being fetched")
    expect(page.get_by_role("article", name="tiny")).to_be_visible()
    expect(going.get_by_role("listitem")).to_have_count(1)
    going.get_by_role("button", name="Cancel").click()
    expect(going).to_have_count(0)


@pytest.mark.refusals(400)
def test_an_install_that_fails_says_why_and_can_be_discarded(
    stage: Stage, open_window: OpenWindow
) -> None:
    page = open_window(f"{stage.url}/models")
    begin(stage, "broken")
    going = page.get_by_role("region", name="Being fetched")
    expect(going.get_by_test_id("error")).to_contain_text("Free 50 MB, then go on.")
    expect(going.get_by_role("button", name="Try again")).to_be_visible()
    going.get_by_role("button", name="Discard").click()
    expect(going).to_have_count(0)


def test_without_a_model_the_page_leads_to_one(tmp_path: Path, open_window: OpenWindow) -> None:
    with Stage(tmp_path / "home", STAGE_SCENE="empty") as stage:
        page = open_window(f"{stage.url}/models")
        expect(page.get_by_text("No model is installed yet.")).to_be_visible()
        page.get_by_role("button", name="Get a model").click()
        expect(page.get_by_role("tab", name="Get a model")).to_have_attribute(
            "aria-selected", "true"
        )
        assert page.url.endswith("/models#get")


@pytest.mark.parametrize("tab", ["About", "Memory", "Parameters", "Aliases", "Self-test"])
def test_no_violation_in_the_details(tab: str, library: Stage, open_window: OpenWindow) -> None:
    page = open_window(
        f"{library.url}/models", bypass_csp=True, color_scheme="dark", reduced_motion="reduce",
        viewport={"width": 390, "height": 844},
    )  # fmt: skip
    page.get_by_role("button", name="Details of gemma").click()
    page.get_by_role("tab", name=tab).click()
    expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
    assert violations(page) == []


@pytest.mark.refusals(400)
def test_a_model_is_built_in_another_format(stage: Stage, open_window: OpenWindow) -> None:
    page = open_window(f"{stage.url}/models", bypass_csp=True)

    def asks_for(name: str) -> Locator:
        page.get_by_role("button", name=f"More for {name}").click()
        page.get_by_role("menuitem", name="Build in another format").click()
        return page.get_by_role("dialog", name=f"Build {name} in another format")

    dialog = asks_for("hello")
    dialog.get_by_role("button", name="Build it").click()
    expect(dialog).to_contain_text("not_buildable")
    dialog.get_by_role("button", name="Cancel").click()

    dialog = asks_for("careless")
    expect(dialog.get_by_label("File format")).to_have_value("script")
    expect(dialog.get_by_label("How exact its numbers are")).to_have_value("int8")
    dialog.get_by_label("How exact its numbers are").select_option("fp32")
    dialog.get_by_label("Computed by").select_option("cuda")
    assert violations(page) == []
    dialog.get_by_role("button", name="Build it").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Writing the model")).to_be_visible()
    [operation] = asked(stage, "/api/v1/models/operations")["operations"]
    assert operation["reference"] == "scripted://careless-fp32-cuda"
    page.get_by_role("button", name=re.compile("^Pause .*careless")).click()
    expect(page.get_by_role("button", name=re.compile("^Go on with .*careless"))).to_be_visible()
