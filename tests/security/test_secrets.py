"""A secret that is known is in no text that leaves, whoever wrote it there and whatever it looks
like; and no child process gets one that it does not need."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.unit.api.conftest import MakeVenom
from tests.unit.cli.conftest import Cli
from venom_core.cli.logs import begin_logging, end_logging, log_file
from venom_core.sdk.child_process import child_environment, finish, launch
from venom_core.sdk.errors import InvalidRequest, UpstreamError, VenomError
from venom_core.sdk.frames import delta
from venom_core.sdk.masking import MASK, keep_password, keep_secret, masked
from venom_core.sdk.spec import Setting
from venom_core.sdk.states import Reason
from venom_core.settings.values import convert
from venom_core.store.audit import Actor
from venom_core.testing import scripted
from venom_core.testing.scripted import Script
from venom_core.testing.staging import client_of
from venom_core.testing.surroundings import own_home

SECRET = 'sk-remote/Zażółć"42+x'
OUR_KEY = "venom-0a1b2c3d-" + "Kq7_-" * 8 + "abc"
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}

#: How an upstream may echo what it got.
ECHOES = {
    "plain": f"Incorrect API key provided: {SECRET}.",
    "in a header": f"header Authorization: Bearer {SECRET} is not allowed",
    "in JSON": "body was " + json.dumps({"key": SECRET}),
    "in JSON as it is": "body was " + json.dumps({"key": SECRET}, ensure_ascii=False),
    "in a URL": f"GET /v1?api_key={quote(SECRET, safe='')}&x=1",
    "in Base64": "Basic " + b64encode(SECRET.encode()).decode(),
    "twice": f"{SECRET} and {SECRET}",
    "cut in its midst": f"Incorrect API key provided: {SECRET[:-4]}",
    "cut, and said so": f"Incorrect API key provided: {SECRET[:-2]}...",
    "a key of ours": f"you sent {OUR_KEY}",
}


def is_told(text: str) -> bool:
    """Return whether a text tells a part of a secret that is worth something."""
    inside = json.dumps(SECRET)[1:-1]
    forms = (SECRET, inside, quote(SECRET, safe=""), b64encode(SECRET.encode()).decode(), OUR_KEY)
    return any(form[:12] in text for form in forms)


@pytest.fixture(params=list(ECHOES.values()), ids=list(ECHOES))
def echo(request: pytest.FixtureRequest) -> str:
    keep_secret(SECRET)
    return str(request.param)


def test_each_echo_tells_it_where_nobody_masks() -> None:
    assert all(map(is_told, ECHOES.values())), "or the cases below could not fail"


@pytest.mark.parametrize("stream", [False, True])
async def test_no_client_gets_it(make_venom: MakeVenom, echo: str, stream: bool) -> None:
    early = UpstreamError(echo, fix=f"Look at {echo}")
    scripted.SCRIPTS["m"] = Script([early])
    scripted.SCRIPTS["late"] = Script([delta("x"), UpstreamError(echo)])
    async with client_of(make_venom()) as client:
        told = []
        for model in ("m", "late"):
            body = {**CHAT, "model": model, "stream": stream}
            told.append((await client.post("/v1/chat/completions", json=body)).text)
            question = {"content": "hi", "model": model}
            told.append((await client.post("/api/v1/llm/simple/stream", json=question)).text)
    assert all("upstream_error" in text for text in told)
    assert not any(map(is_told, told)), told


async def test_no_log_event_or_audit_entry_has_it(make_venom: MakeVenom, echo: str) -> None:
    venom = make_venom()
    paths = venom.settings.paths
    begin_logging(paths, "info")
    try:
        logging.getLogger("venom_core.somewhere").warning("it said %s", echo)
        try:
            raise ValueError(echo)
        except ValueError:
            logging.getLogger("a.plugin").exception("it failed")
    finally:
        end_logging()
    text = log_file(paths).read_text()
    assert "it said" in text and "ValueError" in text and not is_told(text)
    paths.make(paths.home)
    venom.store.record_audit(Actor("k"), "x", echo, {"was": [echo]}, {"is": {"now": echo}})
    venom.store.close()
    with sqlite3.connect(paths.store_file) as connection:
        rows = str(connection.execute("SELECT * FROM audit").fetchall())
    connection.close()
    assert "now" in rows and not is_told(rows)


def test_no_refusal_and_no_reason_keeps_it(echo: str) -> None:
    error = InvalidRequest(echo, fix=echo)
    said = [str(error), repr(error), str(error.whole()), repr(Reason("down", echo, echo))]
    assert not any(map(is_told, said)), said


@pytest.mark.parametrize("arguments", [("run", "hi"), ("run", "hi", "--json"), ("show", "m")])
def test_no_command_prints_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SOMEBODYS_API_KEY", SECRET)

    class Loud(UpstreamError):
        def record(self):  # type: ignore[no-untyped-def]
            return {**super().record(), "message": f"it said {SECRET}"}

    async def describe(self: object, ref: str) -> None:
        raise Loud("x")

    scripted.SCRIPTS["m"] = Script([Loud("x")])
    monkeypatch.setattr(scripted.ScriptedProvider, "describe", describe)
    done = cli(*arguments)
    assert "it said ********" in done.out + done.err and not is_told(done.out + done.err)


def test_a_new_key_is_printed_whole(cli: Cli) -> None:
    assert cli("keys", "create", "laptop").out.startswith("venom-")
    assert json.loads(cli("keys", "create", "ci", "--json").out)["key"].startswith("venom-")


@pytest.mark.parametrize(
    ("setting", "raw", "echoed"),
    [
        (Setting("api_key", "str", None, "x", secret=True), SECRET, SECRET),
        (Setting("keys", "list", (), "x", secret=True), ["other", SECRET], SECRET),
        (Setting("url", "url", None, "x"), "http://joe:pass%40word@h:1", "pass@word"),
        (Setting("urls", "list", (), "x"), ["http://h", "http://joe:hunter22@h/v1"], "hunter22"),
        (Setting("url", "url", None, "x"), "https://hf_tokenintheplace@h/", "hf_tokenintheplace"),
        (Setting("url", "url", None, "x"), "http://joe:hunter22@h",
         b64encode(b"joe:hunter22").decode()),
    ],
)  # fmt: skip
def test_settings_make_secrets_known(setting: Setting, raw: object, echoed: str) -> None:
    convert(setting, raw, "a test")
    assert echoed not in VenomError(f"it said {echoed} to us").message


@pytest.mark.parametrize("name", ["HF_TOKEN", "OPENAI_API_KEY", "MY_PASSWORD", "AWS_SECRET_KEY"])
def test_the_environment_makes_secrets_known(make_venom: MakeVenom, name: str) -> None:
    make_venom(**{name: SECRET})
    assert masked(f"it said {SECRET}") == "it said ********"


async def test_the_key_file_and_the_local_token_are_known(
    make_venom: MakeVenom, tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    file.write_text("first-key-of-the-file\nsecond-key-of-the-file\n")
    venom = make_venom(VENOM_API_KEY_FILE=str(file))
    async with client_of(venom):
        said = masked(f"second-key-of-the-file, {venom.local_token}")
    assert said == "********, ********"


def test_words_that_are_no_secrets_stay() -> None:
    keep_secret("", "abc", "ollama", None, 7, ())
    keep_password("http://localhost:11434")
    text = "abc: ollama serve at http://localhost:11434, 7 tokens, None"
    assert masked(text) == text


ENVIRONMENT = {
    "HF_TOKEN": False,
    "HUGGING_FACE_HUB_TOKEN": False,
    "OPENAI_API_KEY": False,
    "AWS_ACCESS_KEY_ID": False,
    "AWS_SECRET_ACCESS_KEY": False,
    "DB_PASSWORD": False,
    "GITHUB_PAT": False,
    "SOME_CREDENTIALS": False,
    "VENOM_REMOTE__API_KEY": False,
    "HF_HOME": True,
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": True,
    "TOKENIZERS_PARALLELISM": True,
    "CUDA_VISIBLE_DEVICES": True,
    "HTTPS_PROXY": True,
    "PIP_INDEX_URL": True,
}


@pytest.mark.parametrize(("name", "passed"), list(ENVIRONMENT.items()))
def test_a_child_gets_what_it_needs_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, passed: bool
) -> None:
    monkeypatch.setenv(name, "something-of-ours")
    assert (name in child_environment()) is passed
    assert child_environment((name,))[name] == "something-of-ours"


async def test_an_engine_process_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_the_user")
    code = "import os; print(sorted(os.environ))"
    process = await launch((sys.executable, "-c", code), log_file=None, env=child_environment())
    assert process.stdout is not None
    seen = (await process.stdout.read()).decode()
    await finish(process, 2.0)
    assert "PATH" in seen and "HF_TOKEN" not in seen


def test_a_test_leaves_no_secret_behind(tmp_path: Path) -> None:
    """A property test makes up secrets, and may make up a word that another test reads."""
    word = "/v1/embeddings"
    with own_home(tmp_path):
        keep_secret(word)
        assert masked(word) == MASK
    assert masked(word) == word
