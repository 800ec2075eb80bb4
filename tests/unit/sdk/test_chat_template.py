"""Chat templates: prompts as transformers makes them, and programs of strangers held back."""

from __future__ import annotations

from typing import Any

import pytest

from venom_core.sdk import chat_template
from venom_core.sdk.chat_template import ChatTemplate
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
