"""`venom run` with a prompt."""

from __future__ import annotations

import io
import json
import re

import pytest

from venom_core.cli.exit_codes import ExitCode
from venom_core.sdk.errors import UpstreamIncomplete
from venom_core.sdk.frames import Usage, delta
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import SCRIPTS, Pause, Script, say

QUESTION = "What is the capital of Poland?"


@pytest.fixture(autouse=True)
def _models() -> None:
    SCRIPTS["city"] = Script(
        say("War", "saw", usage=Usage(11, 2)),
        Model("city", "folder", capabilities=frozenset({"chat"}), defaults={"max_tokens": 48}),
    )


def messages() -> list[dict[str, str]]:
    return list(scripted.SEEN.requests[-1].body["messages"])


def test_a_prompt_goes_to_the_chosen_model_and_its_name_is_said(cli) -> None:
    done = cli("run", QUESTION)
    assert (done.code, done.out) == (0, "Warsaw\n")
    assert re.search(r"^scripted://city answers: .{10,}\.$", done.err, re.MULTILINE)
    assert messages() == [{"role": "user", "content": QUESTION}]


def test_json_has_exactly_the_documented_fields(cli) -> None:
    done = cli("run", "--json", QUESTION)
    record = json.loads(done.out)
    assert list(record) == [
        "model", "provider", "content", "usage", "ttft_ms", "tokens_per_second", "session_id",
    ]  # fmt: skip
    assert record["model"] == "city" and record["provider"] == "scripted"
    assert record["content"] == "Warsaw"
    assert record["usage"] == {"prompt_tokens": 11, "completion_tokens": 2}
    assert record["ttft_ms"] > 0 and record["tokens_per_second"] > 0


def test_a_named_model(cli) -> None:
    assert cli("run", "city", "Say", "it.").out == "Warsaw\n"
    assert messages() == [{"role": "user", "content": "Say it."}]


def test_a_single_word_is_a_prompt_and_that_is_said(cli) -> None:
    done = cli("run", "hi")
    assert done.code == 0 and "taken as the prompt" in done.err
    assert messages() == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("name", ["citty", "gemma3:4b", "scripted://nothing"])
def test_a_name_that_is_no_model_is_refused_and_sent_to_nobody(cli, name: str) -> None:
    done = cli("run", name)
    assert done.code in (ExitCode.NOT_FOUND, ExitCode.USAGE)
    assert scripted.SEEN.requests == []


def test_system_message_and_parameters(cli) -> None:
    done = cli(
        "run", "--system", "Be brief.", "--set", "temperature=0.5", "--set", "stop=x", QUESTION
    )
    assert done.code == 0
    assert messages()[0] == {"role": "system", "content": "Be brief."}
    body = scripted.SEEN.requests[-1].body
    assert (body["temperature"], body["stop"], body["max_tokens"]) == (0.5, "x", 48)


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ('logit_bias={"1": 2}', "unsupported_parameter"),
        ("temperature=9", "invalid_request_error"),
        ("temperature=NaN", "usage"),
        ("temperature", "usage"),
    ],
)
def test_a_parameter_that_cannot_be_honoured_is_refused(cli, setting: str, code: str) -> None:
    done = cli("run", "--json", "--set", setting, QUESTION)
    assert done.code == ExitCode.USAGE
    assert json.loads(done.out)["error"]["code"] == code
    assert scripted.SEEN.requests == []


def test_explain_tells_model_origins_headers_and_the_upstream_body(cli) -> None:
    done = cli("run", "--json", "--explain", "--set", "temperature=0.5", QUESTION)
    told = json.loads(done.out)["explain"]
    assert told["model"] == "scripted://city" and told["because"] != "named in the request"
    assert told["parameters"] == {
        "max_tokens": {"value": 48, "origin": "model"},
        "temperature": {"value": 0.5, "origin": "request"},
    }
    assert told["headers"]["Venom-Model"] == "scripted://city"
    assert told["headers"]["X-Request-Id"].startswith("cli-")
    assert told["upstream_body"] == dict(scripted.SEEN.requests[-1].body)


def test_explain_for_people_stands_below_the_answer(cli) -> None:
    out = cli("run", "--explain", QUESTION).out
    assert out.startswith("Warsaw\n")
    assert "max_tokens = 48   from model" in out and "Venom-Model: scripted://city" in out


def test_the_standard_input_is_the_prompt(cli, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"zdanie \xc5\xbc\xff\n")))
    assert cli("run", "city", "Sum up:", "-").code == 0
    assert messages()[0]["content"] == "Sum up:\n\nzdanie ż\ufffd"


def test_an_empty_standard_input_is_a_usage_error(cli, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b" \n")))
    assert cli("run", "city", "-").code == ExitCode.USAGE
    assert scripted.SEEN.requests == []


def test_an_answer_that_breaks_off_is_shown_as_far_as_it_came_and_is_a_failure(cli) -> None:
    SCRIPTS["city"] = Script([delta("War", role="assistant"), UpstreamIncomplete("It broke off.")])
    done = cli("run", QUESTION)
    assert done.out == "War\n"
    assert done.code == ExitCode.UNAVAILABLE and "upstream_incomplete" in done.err


def test_a_stream_without_an_end_is_no_answer(cli) -> None:
    SCRIPTS["city"] = Script([delta("War", role="assistant")])
    done = cli("run", "--json", QUESTION)
    assert json.loads(done.out)["error"]["code"] == "upstream_incomplete"


def test_an_answer_cut_at_the_limit_says_so(cli) -> None:
    from venom_core.sdk.frames import finish

    SCRIPTS["city"] = Script([delta("War", role="assistant"), finish("length")])
    assert "cut at max_tokens" in cli("run", QUESTION).err


def test_control_characters_do_not_reach_a_terminal(cli, monkeypatch) -> None:
    from venom_core.cli import single_question

    SCRIPTS["city"] = Script(say("a\x1b[2Jb\x07\n\tc"))
    assert cli("run", QUESTION).out == "a\x1b[2Jb\x07\n\tc\n"  # a file gets what was written
    monkeypatch.setattr(single_question, "is_terminal", lambda stream: True)
    assert cli("run", QUESTION).out == "a[2Jb\n\tc\n"


def test_ctrl_c_closes_the_upstream_and_ends_with_130(cli, interrupt_once) -> None:
    SCRIPTS["city"] = Script([delta("War", role="assistant"), Pause(forever=True)])

    interrupt_once(lambda: scripted.SEEN.running)
    done = cli("run", QUESTION)
    assert done.code == ExitCode.INTERRUPTED
    assert (scripted.SEEN.closed, scripted.SEEN.running) == (1, 0)


def test_without_a_model_the_screen_says_how_to_get_one(cli) -> None:
    SCRIPTS.clear()
    done = cli("run", QUESTION)
    assert done.code == ExitCode.UNAVAILABLE and "no_model" in done.err
    assert "No model is installed" in done.err


def test_reasoning_is_no_part_of_the_answer(cli, monkeypatch) -> None:
    from venom_core.cli import single_question

    thought = delta(reasoning="Hmm. ", role="assistant")
    SCRIPTS["city"] = Script([thought, *say("Warsaw")])
    assert cli("run", QUESTION).out == "Warsaw\n"
    assert json.loads(cli("run", "--json", QUESTION).out)["content"] == "Warsaw"
    monkeypatch.setattr(single_question, "is_terminal", lambda stream: True)
    assert cli("run", QUESTION).out == "Hmm. Warsaw\n"  # a person may see it
