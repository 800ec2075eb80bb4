"""Chat templates: prompts as transformers makes them, and programs of strangers held back."""

from __future__ import annotations

from typing import Any

import pytest

from venom_core.sdk import chat_template
from venom_core.sdk.chat_template import ChatTemplate, template_capabilities
from venom_core.sdk.errors import InvalidRequest, StorageError

TURNS = (
    "{{ bos_token }}{% for m in messages %}<{{ m['role'] }}>{{ m['content'] | trim }}</>\n"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


def message(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


def render(text: str, *messages: dict[str, Any]) -> str:
    return ChatTemplate(text, {"bos_token": "<s>"}).render(messages or (message("user", "Hi"),))


def test_a_prompt_ends_where_the_answer_begins() -> None:
    turns = (message("user", " Hi "), message("assistant", "Yes?"), message("user", "Bye"))
    assert render(TURNS, *turns) == (
        "<s><user>Hi</>\n<assistant>Yes?</>\n<user>Bye</>\n<assistant>"
    )


def test_an_answer_is_gone_on_with_where_it_stopped() -> None:
    turns = (message("user", "Capital?"), message("assistant", "The capital "))
    assert render(TURNS, *turns) == "<s><user>Capital?</>\n<assistant>The capital"
    with pytest.raises(InvalidRequest, match="gone on with"):
        render("{{ messages[0]['content'] }}", *turns)


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("{% for n in [1, 2, 3] %}{% if n == 2 %}{% break %}{% endif %}{{ n }}{% endfor %}", "1"),
        ("{{ messages | tojson }}", '[{"role": "user", "content": "Hi"}]'),
        ("  {% if true %}\na\n  {% endif %}\nb", "a\nb"),  # blocks take their line along
        ("{{ strftime_now('%%') }}{{ unknown }}", "%"),
    ],
    ids=["loop-controls", "json", "blocks", "now"],
)
def test_what_transformers_offers_templates(text: str, prompt: str) -> None:
    assert render(text) == prompt


def test_tools_are_for_the_template_to_show() -> None:
    template = ChatTemplate("{{ tools | tojson if tools else 'none' }}", {})
    turns = (message("user", "Hi"),)
    assert template.render(turns, [{"type": "function"}]) == '[{"type": "function"}]'
    assert [template.render(turns, nothing) for nothing in (None, [])] == ["none", "none"]


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ('{"city": "Łódź"}', '{"city": "Łódź"}'),
        ("{half", '"{half"'),
        ({"city": 1}, '{"city": 1}'),
        (None, "null"),
    ],
    ids=["text", "no-json", "object", "none"],
)
def test_the_arguments_of_a_call_are_written_once(arguments: object, written: str) -> None:
    call = {"id": "1", "function": {"name": "weather", "arguments": arguments}}
    turn = {"role": "assistant", "content": "", "tool_calls": [call]}
    text = "{{ messages[0].tool_calls[0].function.arguments | tojson }}"
    assert render(text, turn, message("tool", "sunny")) == written


@pytest.mark.parametrize("calls", [None, {}, "x", [None], [{"function": 1}]])
def test_calls_of_no_form_are_the_templates_to_read(calls: object) -> None:
    turn = {"role": "assistant", "content": "so", "tool_calls": calls}
    assert render(TURNS, turn, message("user", "Hi")).startswith("<s><assistant>so")


def test_what_a_model_can_do_by_its_template() -> None:
    assert template_capabilities(None) == {"completion"}
    assert template_capabilities(TURNS) == {"chat", "completion"}
    assert template_capabilities("{% if tools %}" + TURNS) == {"chat", "completion", "tools"}


@pytest.mark.parametrize(
    "text",
    [
        "{{ raise_exception('System role not supported') }}",
        "{{ messages[7]['content'] }}",
        "{{ 1 / 0 }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{% for n in range(10 ** 9) %}{% endfor %}",
        "{% include '/etc/passwd' %}",
    ],
    ids=["its-own", "place", "zero", "classes", "changes", "range", "files"],
)
def test_a_template_that_fails_or_reaches_out_is_a_refusal(text: str) -> None:
    with pytest.raises(InvalidRequest, match="does not take these messages") as refused:
        render(text)
    assert refused.value.param == "messages" and "passwd'" not in refused.value.message[:60]


def test_a_template_that_writes_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "LONGEST_PROMPT", 1000)
    with pytest.raises(StorageError, match="without end"):
        render("{% for n in range(99999) %}word {% endfor %}")


@pytest.mark.parametrize("text", ["{% for %}", "{{", "{% nothing %}", "{{ x | no_such_filter }}"])
def test_what_is_no_template(text: str) -> None:
    with pytest.raises(StorageError, match="chat template is none"):
        render(text)
