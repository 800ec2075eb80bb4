"""One id, from the client through the log of the server to that of the engine's process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.cli.test_log_file import logging_to
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import until
from venom_core.testing.staging import entry, stage

ENGINE = Path(__file__).parents[1] / "unit" / "sdk" / "spelling_engine.py"
CHAT = "/v1/chat/completions"
PROMPT = "a prompt that nobody logs"


@pytest.mark.parametrize(
    ("given", "stream"), [("mine-1", False), ("mine-2", True), ("not harmless;", False)]
)
async def test_an_id_is_in_every_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, stream: bool
) -> None:
    (tmp_path / "site").mkdir()
    shutil.copy(ENGINE, tmp_path / "site" / "speller_of_somebody.py")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    plugin = entry("tests.integration.spelling_plugin", "speller")
    paths = Paths.at(tmp_path)
    async with stage(plugin, home=tmp_path) as acme:
        with logging_to(paths, "json"):
            body = {"model": "speller", "messages": [{"role": "user", "content": PROMPT}]}
            answer = await acme.client.post(
                CHAT, json={**body, "stream": stream}, headers={"X-Request-Id": given}
            )
            assert answer.status_code == 200, answer.text
        request_id = answer.headers["x-request-id"]
        assert (request_id == given) is (given != "not harmless;")
        file = tmp_path / "providers" / "speller" / "engines" / "speller.log"

        def line() -> list[str]:
            return [line for line in file.read_text().splitlines() if request_id in line]

        await until(line, 20)
    at, _, method, path, status, *_ = line()[0].split()
    assert at.endswith("Z") and (method, path, status) == ("POST", CHAT, "200")
    log = (paths.logs_dir / "venom.log").read_text()
    told = [json.loads(line) for line in log.splitlines()]
    mine = [one["message"] for one in told if one["request_id"] == request_id]
    assert any(text.startswith(f"POST {CHAT} 200 in ") for text in mine), log
    assert PROMPT not in log and PROMPT not in file.read_text() and "harmless" not in log
