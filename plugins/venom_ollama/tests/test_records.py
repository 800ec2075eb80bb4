"""The parsers on the recorded bytes themselves, no server between.

What is expected is computed here from the records' JSON, not by the code under test.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venom_core.sdk.errors import (
    ContextLengthExceeded,
    UpstreamError,
    UpstreamIncomplete,
    VenomError,
)
from venom_core.sdk.frames import Answer, Chunk, Frame, FrameKind
from venom_core.testing.ollama import Ending, Record, load_records
from venom_ollama.events import Translator
from venom_ollama.lines import LineReader
from venom_ollama.models import defaults, listed, loaded_model
from venom_ollama.pulling import PullTracker
from venom_ollama.refusals import refusal

RECORDS = load_records()


def _named(*paths: str, ending: Ending = Ending.COMPLETE) -> list[Record]:
    return [
        record
        for record in RECORDS.values()
        if record.path in paths
        and record.answer.ending is ending
        and record.answer.status == 200
        and record.method == "POST"
    ]


def _lines(record: Record) -> list[dict[str, Any]]:
    return [json.loads(line) for line in record.answer.body.split(b"\n") if line]


# Answers of a model: those that generated something and did not end in an error.
ANSWERS = [
    record
    for record in _named("/api/chat", "/api/generate")
    if _lines(record)[-1].get("done_reason") in ("stop", "length")
]
PULLS = _named("/api/pull")


def _ids(records: list[Record]) -> list[str]:
    return [record.name for record in records]


def parse(record: Record, *, stream: bool, pieces: list[bytes] | None = None) -> list[Frame]:
    reader = LineReader()
    wire = "chat" if record.path == "/api/chat" else "completion"
    translator = Translator("m", stream=stream, wire=wire)  # type: ignore[arg-type]
    frames: list[Frame] = []
    for piece in pieces if pieces is not None else [record.answer.body]:
        for line in reader.feed(piece):
            frames += translator.frames(line)
    for line in reader.end():
        frames += translator.frames(line)
    return [*frames, *translator.end()]


def _text(record: Record) -> str:
    if record.path == "/api/chat":
        return "".join(line["message"]["content"] for line in _lines(record))
    return "".join(line["response"] for line in _lines(record))


def test_there_are_answers_to_test() -> None:
    assert len(ANSWERS) > 60
    assert len(PULLS) > 15


@pytest.mark.parametrize("record", ANSWERS, ids=_ids(ANSWERS))
def test_stream_by_the_law(record: Record) -> None:
    frames = parse(record, stream=True)
    kinds = [frame.kind for frame in frames]
    deltas = kinds[:-2]
    assert all(kind == FrameKind.DELTA for kind in deltas)
    assert kinds[-2:] == [FrameKind.FINISH, FrameKind.USAGE]
    chunks = [frame.event for frame in frames]
    assert all(isinstance(chunk, Chunk) for chunk in chunks)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.content or "" for choice in choices) == _text(record)
    assert [choice.role for choice in choices] == ["assistant"] + [None] * (len(choices) - 1)
    last = _lines(record)[-1]
    called = any("tool_calls" in line.get("message", {}) for line in _lines(record))
    reason = "tool_calls" if called and last["done_reason"] == "stop" else last["done_reason"]
    assert choices[-1].finish_reason == reason
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.prompt_tokens == last.get("prompt_eval_count", 0)
    assert usage.completion_tokens == last.get("eval_count", 0)


@pytest.mark.parametrize("record", ANSWERS, ids=_ids(ANSWERS))
def test_one_answer_holds_what_the_stream_holds(record: Record) -> None:
    (frame,) = parse(record, stream=False)
    assert frame.kind == FrameKind.ANSWER | FrameKind.USAGE
    assert isinstance(frame.event, Answer)
    (choice,) = frame.event.choices
    assert (choice.content or "") == _text(record)
    streamed = [f.event.choices[0] for f in parse(record, stream=True) if f.event.choices]
    assert choice.finish_reason == streamed[-1].finish_reason
    calls = [call for one in streamed for call in one.tool_calls]
    assert [(c.index, c.name, c.arguments) for c in choice.tool_calls] == [
        (c.index, c.name, c.arguments) for c in calls
    ]
    tokens = [token for line in _lines(record) for token in line.get("logprobs", [])]
    assert (choice.logprobs is not None) == bool(tokens)


def test_tool_call_arguments_become_json_text() -> None:
    (frame,) = parse(RECORDS["308b_chat_tools_forced_schema"], stream=False)
    (choice,) = frame.event.choices
    (call,) = choice.tool_calls
    assert (call.id, call.name, call.index) == ("call_p65gt661", "get_weather", 0)
    assert json.loads(call.arguments) == {"city": "Paris"}
    assert choice.content is None
    assert choice.finish_reason == "tool_calls"


def test_logprobs_in_the_shape_of_each_wire() -> None:
    chat = parse(RECORDS["320_chat_logprobs"], stream=False)[0].event.choices[0].logprobs
    recorded = _lines(RECORDS["320_chat_logprobs"])[0]["logprobs"]
    assert chat == {"content": recorded}
    text = parse(RECORDS["218_generate_logprobs"], stream=False)[0].event.choices[0].logprobs
    assert text is not None
    assert text["tokens"] == [" the", " capital", " of"]
    assert text["text_offset"] == [0, 4, 12]
    assert text["top_logprobs"][0][" Paris"] == pytest.approx(-2.4930741786956787)


def test_zero_counts_are_left_out_by_ollama() -> None:
    line = _lines(RECORDS["817_zero_eval_fields_omitted"])[-1]
    assert "eval_duration" not in line
    del line["prompt_eval_count"]
    (frame,) = Translator("m", stream=False, wire="completion").frames(line)
    assert frame.event.usage is not None
    assert (frame.event.usage.prompt_tokens, frame.event.usage.completion_tokens) == (0, 1)


# Endings


def test_killed_runner_is_raised_after_what_came() -> None:
    record = RECORDS["703_runner_killed_midstream"]
    translator = Translator("gemma3:270m", stream=True, wire="completion")
    frames: list[Frame] = []
    with pytest.raises(UpstreamError) as caught:
        for line in LineReader().feed(record.answer.body):
            frames += translator.frames(line)
    assert len(frames) == len(_lines(record)) - 1
    assert caught.value.code == "upstream_error"
    assert "unexpected EOF" not in caught.value.message


@pytest.mark.parametrize("name", ["706_sigterm_midstream", "700_disconnect_midstream"])
@pytest.mark.parametrize("stream", [True, False])
def test_what_came_before_an_end_without_a_last_line_is_kept(name: str, stream: bool) -> None:
    """That the connection was cut is the client's to see; here the lines just end."""
    frames = parse(RECORDS[name], stream=stream)
    assert frames[-1].event.choices[0].finish_reason == "length"
    assert frames[-1].event.choices[0].finish_note


def test_an_answer_that_only_loaded_is_no_answer() -> None:
    with pytest.raises(UpstreamError, match="answered nothing"):
        parse(RECORDS["300_chat_load"], stream=True)


@pytest.mark.parametrize(
    "junk",
    [b"<html>\n", b"[]\n", b'"x"\n', b"\xff\xfe\n", b'{"message": 5, "done": false}\n',
     b'{"message": {"content": 5}}\n', b'{"message": {"tool_calls": [{}]}}\n',
     b"[" * 100_000 + b"\n"],
)  # fmt: skip
def test_garbage_is_an_upstream_error(junk: bytes) -> None:
    translator = Translator("m", stream=True)
    with pytest.raises(UpstreamError):
        for line in LineReader().feed(junk):
            list(translator.frames(line))


def test_a_line_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("venom_ollama.lines.MAX_LINE_BYTES", 1000)
    reader = LineReader()
    with pytest.raises(UpstreamError):
        for _ in range(100):
            list(reader.feed(b"x" * 100))


# Any cut


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_cut_of_the_bytes_parses_equal(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(ANSWERS))
    body = record.answer.body
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    stream = data.draw(st.booleans())
    whole = [repr(frame) for frame in parse(record, stream=stream)]
    assert [repr(frame) for frame in parse(record, stream=stream, pieces=pieces)] == whole


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_beginning_is_incomplete_or_ends_as_too_short(data: st.DataObject) -> None:
    """Wherever the bytes stop before the last line's end, it is never taken for a whole answer:
    half a line is none, and whole lines without the last one say that more was to come."""
    record = data.draw(st.sampled_from(ANSWERS))
    body = record.answer.body.rstrip(b"\n")
    end = data.draw(st.integers(0, len(body) - 1))
    stream, pieces = data.draw(st.booleans()), [body[:end]]
    if are_whole_lines(body[:end]) and b'"done":true' not in body[:end]:
        (*_, last) = parse(record, stream=stream, pieces=pieces)
        assert [choice.finish_reason for choice in last.event.choices] == ["length"]
        return
    with pytest.raises(UpstreamIncomplete):
        parse(record, stream=stream, pieces=pieces)


def are_whole_lines(body: bytes) -> bool:
    lines = body.splitlines()
    try:
        return bool([json.loads(line) for line in lines])
    except ValueError:
        return False


# Pulls


@pytest.mark.parametrize("record", PULLS, ids=_ids(PULLS))
def test_progress_never_falls(record: Record) -> None:
    tracker = PullTracker("m")
    done = total = 0
    lines = _lines(record)
    failed = "error" in lines[-1]
    for line in lines[:-1] if failed else lines:
        progress = tracker.step(line)
        assert progress.bytes_done >= done
        assert (progress.bytes_total or 0) >= total
        assert progress.bytes_done <= (progress.bytes_total or 0)
        done, total = progress.bytes_done, progress.bytes_total or 0
    if failed:
        with pytest.raises(VenomError):
            tracker.step(lines[-1])
    elif lines[-1] == {"status": "success"}:
        assert progress.status == "completed"
        assert (
            done == total == sum({x["digest"]: x["total"] for x in lines if "digest" in x}.values())
        )
        tracker.end()
    else:
        with pytest.raises(UpstreamIncomplete):
            tracker.end()


def test_a_pull_passes_through_its_states() -> None:
    tracker = PullTracker("m")
    steps = [tracker.step(line).status for line in _lines(RECORDS["620_pull_stream"])]
    assert list(dict.fromkeys(steps)) == ["pulling", "verifying", "writing", "completed"]


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.none() | st.integers(0, 1000)), max_size=40
    )
)
def test_progress_never_falls_whatever_is_reported(steps: list[tuple[str, int | None]]) -> None:
    tracker = PullTracker("m")
    last = 0
    for digest, completed in steps:
        line: dict[str, Any] = {"status": f"pulling {digest}", "digest": digest, "total": 1000}
        progress = tracker.step(line if completed is None else {**line, "completed": completed})
        assert progress.bytes_done >= last
        last = progress.bytes_done


# Refusals

VERBS = ("chat", "generate", "embed", "show", "delete", "pull")
ERRORS = [
    (record.name, record.answer.status, line["error"])
    for record in RECORDS.values()
    if record.path.removeprefix("/api/") in VERBS
    and record.answer.ending is Ending.COMPLETE
    for line in (_lines(record) if record.answer.body.startswith(b"{") else [])
    if "error" in line
]  # fmt: skip

CODES = {
    "239e_generate_long_prompt_truncate_false": (400, "context_length_exceeded", "messages"),
    "239f_generate_long_prompt_truncate_false_stream": (400, "context_length_exceeded", "messages"),
    "455_embed_truncate_false": (400, "context_length_exceeded", "messages"),
    "309_chat_unknown_model": (404, "model_not_found", "model"),
    "403_embed_unknown": (404, "model_not_found", "model"),
    "143_show_unknown": (404, "model_not_found", "model"),
    "161_delete_again": (404, "model_not_found", "model"),
    "307_chat_tools_unsupported": (400, "unsupported_parameter", "tools"),
    "318_chat_think": (400, "unsupported_parameter", "reasoning_effort"),
    "212_generate_suffix": (400, "unsupported_parameter", "suffix"),
    "400_embed": (400, "model_not_capable", "model"),
    "463_chat_on_embed_model": (400, "model_not_capable", "model"),
    "319_chat_images": (400, "model_not_capable", "messages"),
    "226_generate_wrong_type_option": (400, "invalid_request_error", "temperature"),
    "216_generate_format_bad_schema": (400, "unusable_schema", "response_format"),
    "219_generate_logprobs_bad": (400, "invalid_request_error", "top_logprobs"),
    "232_generate_images_badb64": (400, "invalid_request_error", "messages"),
    "720_max_queue_1_cold#2": (429, "queue_full", None),
    "703_runner_killed_midstream": (502, "upstream_error", None),
    "730_truncated_blob_load": (507, "model_damaged", None),
    "810_chat_cloud_name": (503, "ollama_cloud_unreachable", None),
    "841_cloud_model_disabled": (503, "ollama_cloud_unreachable", None),
    "610_pull_unreachable_dns": (503, "registry_unreachable", None),
    "612_pull_refused": (503, "registry_unreachable", None),
    "616_pull_registry_500": (503, "registry_unreachable", None),
    "614b_pull_http_scheme_insecure_unknown": (404, "model_not_found", "name"),
    "617_pull_bad_name": (400, "invalid_request_error", "name"),
    "634_pull_corrupt": (507, "digest_mismatch", None),
}


@pytest.mark.parametrize(("name", "expected"), CODES.items(), ids=list(CODES))
def test_refusals_mean_what_they_say(name: str, expected: tuple[int, str, str | None]) -> None:
    status, words = next((s, w) for n, s, w in ERRORS if n == name)
    error = refusal(status, words, "gemma3:270m")
    assert (error.status, error.code, error.param) == expected
    assert error.fix or error.status == 400


@pytest.mark.parametrize(("name", "status", "words"), ERRORS, ids=[name for name, *_ in ERRORS])
def test_every_recorded_refusal_is_a_sentence_without_paths(
    name: str, status: int, words: str
) -> None:
    error = refusal(status, words, "some-model")
    assert error.message.endswith(".")
    assert "\n" not in error.message
    for foreign in ("<OLLAMA_MODELS>", "/blobs/", "https://registry", "127.0.0.1"):
        assert foreign not in error.message


def test_not_found_names_the_command() -> None:
    error = refusal(404, "model 'nope' not found", "nope")
    assert error.fix == "venom pull nope"


def test_busy_says_when_to_try_again() -> None:
    words = "server busy, please try again.  maximum pending requests exceeded"
    assert refusal(503, words, "m").retry_after == 5.0
    assert refusal(503, words, "m", "12").retry_after == 12.0
    assert refusal(503, words, "m", "Wed, 21 Oct 2026 07:28:00 GMT").retry_after == 5.0


def test_too_long_prompt_of_other_versions() -> None:
    for words in (
        "input length exceeds maximum context length",
        "the request exceeds the available context size. try increasing the context size",
    ):
        assert isinstance(refusal(500, words, "m"), ContextLengthExceeded)


# Models


def test_listing() -> None:
    items = _lines(RECORDS["130_tags"])[0]["models"]
    shown = _lines(RECORDS["149c_show_tools"])[0]
    plain = listed(items[1], None, None)
    assert (plain.ref, plain.capabilities, plain.quantization) == (
        "gemma3-tools:latest",
        None,
        "Q4_K_M",
    )
    assert plain.size_bytes == 253114221
    full = listed(items[1], shown, True)
    assert full.capabilities == {"chat", "completion", "tools"}
    assert full.context_length == 32768
    assert full.loaded is True
    assert full.license == "Gemma Terms of Use: https://ai.google.dev/gemma/terms"
    assert full.terms_url == "https://ai.google.dev/gemma/terms"
    assert "blobs" not in json.dumps(full.details)
    embedding = listed(items[0], _lines(RECORDS["451_show_embed_model"])[0], None)
    assert embedding.capabilities == {"embedding"}


def test_defaults_of_a_model() -> None:
    assert defaults(_lines(RECORDS["140_show"])[0]) == {
        "stop": ["<end_of_turn>"],
        "temperature": 1.0,
        "top_k": 64,
        "top_p": 0.95,
    }
    text = 'num_predict -1\ntemperature hot\nstop "a\\nb"\nstop "\\"q\\""\nnum_ctx 2048\nseed 7'
    assert defaults({"parameters": text}) == {"stop": ["a\nb", '"q"'], "seed": 7}


def test_loaded_models() -> None:
    loaded = loaded_model(_lines(RECORDS["201_ps_loaded"])[0]["models"][0])
    assert (loaded.ref, loaded.context_length, loaded.vram_bytes) == ("gemma3:270m", 4096, 0)
    assert loaded.expires_at == "2026-11-21T20:31:02.302125444Z"
    forever = loaded_model(_lines(RECORDS["241_ps_forever"])[0]["models"][0])
    assert forever.expires_at is None
