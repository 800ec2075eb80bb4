"""`venom search`: with the Hugging Face plugin, without it, and through a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from venom_core.cli.exit_codes import ExitCode
from venom_core.plugins.discovery import Found
from venom_core.testing.hub import FakeHub
from venom_core.testing.staging import entry


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, installed: list[Found]) -> Iterator[FakeHub]:
    found = entry("venom_hf.plugin")
    installed.append(found)
    with FakeHub() as hub:
        files = {"model.safetensors": b"x"}
        counts = {"BF16": 500_000_000}
        hub.add("org/gemma", files, tags=["safetensors", "license:mit"], downloads=12345,
                safetensors={"parameters": counts, "total": 500_000_000})  # fmt: skip
        hub.add("org/gemma-GGUF", files, tags=["gguf"], gated="manual")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def test_a_table(cli, hub: FakeHub) -> None:
    done = cli("search", "gemma")
    assert done.code == 0
    header, first, second = done.out.splitlines()
    assert header.split() == ["NAME", "SIZE", "DOWNLOADS", "LICENCE"]
    assert first.split() == ["hf://org/gemma", "1.0", "GB", "12,345", "mit"]
    assert second.startswith("hf://org/gemma-GGUF") and "terms to accept" in second
    assert "venom pull hf://org/gemma" in done.err


def test_filters_reach_the_source(cli, hub: FakeHub) -> None:
    options = ["--format", "gguf", "--author", "org", "--limit", "3", "--sort", "downloads"]
    body = json.loads(cli("search", "gemma", *options, "--json").out)
    assert [model["reference"] for model in body["models"]] == ["hf://org/gemma-GGUF"]
    (asked,) = hub.asked("hub", "/api/models")
    for part in ("filter=gguf", "author=org", "limit=3", "sort=downloads", "search=gemma"):
        assert part in asked.path


def test_nothing_found(cli, hub: FakeHub) -> None:
    done = cli("search", "zebra")
    assert (done.code, done.out.strip()) == (0, "Nothing was found.")


def test_without_the_plugin_it_says_how_to_get_it(cli) -> None:
    done = cli("search", "gemma")
    assert done.code == ExitCode.UNAVAILABLE
    assert "The provider huggingface is not installed." in done.err
    assert "venom plugins install hf" in done.err
    record = json.loads(cli("search", "gemma", "--json").out)
    assert record["error"]["code"] == "provider_missing"


def test_a_source_that_fails(cli, hub: FakeHub) -> None:
    hub.statuses["/api/"] = 503
    done = cli("search", "gemma")
    assert done.code == ExitCode.UNAVAILABLE and "Hugging Face answered 503." in done.err


@pytest.mark.parametrize(
    "arguments", [["x"], ["xx", "--provider", "nobody"], ["xx", "--page", "0"]]
)
def test_bad_questions(cli, arguments: list[str]) -> None:
    assert cli("search", *arguments).code == ExitCode.USAGE
