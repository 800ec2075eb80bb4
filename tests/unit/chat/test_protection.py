"""Parts that a translation must not touch: taken out, and missed where it does not come back."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from venom_core.chat.protection import Restorer, outline, protect
from venom_core.testing.deadlines import patience

KEPT = [
    "{name}", "{0}", "{}", "{x:.2f}", "{user.name!r}", "%s", "%d", "%5.2f", "%(name)s", "%1$s",
    "%%", "{{x}}", "{{ user.name }}", "{% if x %}", "${x}", "${HOME}", "https://example.org/a?b=c#d",
    "http://localhost:8366/v1", "www.example.org/x", "jan@example.org", "`code here`", "``a ` b``",
    "<b>", "</b>", '<a href="x">', "⟦7⟧", "⟦", "⟧",
]  # fmt: skip
WORDS = st.text(alphabet="abcdefg hijklm, żółw.\n", max_size=30)
PIECES = st.lists(st.tuples(WORDS, st.sampled_from(KEPT)), max_size=8)


@pytest.mark.parametrize("part", KEPT)
def test_each_kind_is_taken_out_whole(part: str) -> None:
    protected = protect(f"before {part} after")
    assert "".join(protected.parts) == part
    assert part not in protected.text.replace("⟦1⟧", "").replace("⟦2⟧", "") or part in "⟦⟧"


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint('{x}')\n```", "~~~\ncode\n~~~", "```\nnever closed {x}\n\nmore",
        "| --- | :-: |", "-----", "***",
    ],
)  # fmt: skip
def test_blocks_are_taken_out_whole(text: str) -> None:
    protected = protect(f"Words\n\n{text}\n")
    assert text in protected.parts[0]
    assert len(protected.parts) == 1


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("See [the page](https://a.b/c_(d)).", "See [the page]"),
        ("![alt](img/a.png \"t\")", "![alt]"),
        ("(see https://example.org.)", ".)"),
        ("100 % sure, 50% off", "100 % sure, 50% off"),
        ("a set {of words} here", "a set {of words} here"),
        ("3 < 5 and 7 > 6", "3 < 5 and 7 > 6"),
    ],
)  # fmt: skip
def test_words_stay_to_be_translated(text: str, rest: str) -> None:
    assert rest in protect(text).text


@given(PIECES)
@example([("", "⟦1⟧"), ("", "{name}")])
@settings(max_examples=300, deadline=None)
def test_what_comes_back_as_it_went_is_the_text(pieces: list[tuple[str, str]]) -> None:
    text = "".join(word + part for word, part in pieces)
    protected = protect(text)
    assert protected.restored(protected.text) == text


@given(PIECES.filter(bool), st.data())
@settings(max_examples=300, deadline=None)
def test_a_mark_that_is_lost_doubled_or_invented_is_missed(
    pieces: list[tuple[str, str]], data: st.DataObject
) -> None:
    protected = protect("".join(word + part for word, part in pieces))
    assume(protected.parts)  # "awww.example.org" is a word
    mark = f"⟦{data.draw(st.integers(1, len(protected.parts)))}⟧"
    for wrong in (
        protected.text.replace(mark, "", 1),
        protected.text + mark,
        protected.text + f"⟦{len(protected.parts) + 1}⟧",
        protected.text.replace(mark, mark[:-1], 1),
        protected.text.replace(mark, mark.replace("⟦", "⟦ "), 1),
    ):
        assert protected.restored(wrong) is None, wrong


@given(PIECES, st.lists(st.integers(1, 4), max_size=60))
@settings(max_examples=300, deadline=None)
def test_a_stream_is_restored_wherever_it_is_cut(
    pieces: list[tuple[str, str]], cuts: list[int]
) -> None:
    text = "".join(word + part for word, part in pieces)
    protected = protect(text)
    restorer, said, rest = Restorer(protected), "", protected.text
    for length in cuts:
        said += restorer.feed(rest[:length])
        rest = rest[length:]
        assert text.startswith(said)
    assert said + restorer.feed(rest) + restorer.rest() == text


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_survives(text: str) -> None:
    protected = protect(text)
    assert protected.restored(protected.text) == text


@pytest.mark.parametrize(
    ("source", "translated"),
    [
        ("# A\n\ntext", "A\n\ntekst"), ("# A", "## A"), ("- a\n- b", "- a b"), ("> a", "a"),
        ("1. a\n2. b", "1. a\n1. b"), ("| a | b |", "| a b |"), ("**a** b", "a b"),
        ("- a\n  - b", "- a\n- b"), ("a", "- a"), ("~~a~~", "a"),
    ],
)  # fmt: skip
def test_another_structure_is_missed(source: str, translated: str) -> None:
    assert protect(source).restored(translated) is None


@pytest.mark.parametrize(
    ("source", "translated"),
    [("* a\n* b", "- ä\n- b"), ("a - b", "ä – b"), ("# A\n\n**b** c", "# Ä\n\n**b** c")],
)
def test_the_same_structure_passes(source: str, translated: str) -> None:
    assert protect(source).restored(translated) == translated


def test_only_words_are_worth_asking_for() -> None:
    assert not protect("https://example.org {name} 123 ...").has_words
    assert protect("{name} i ty").has_words


@pytest.mark.parametrize(
    "text",
    [
        "a" * 20_000, "`" * 20_000, "-" * 20_000 + "x", "(" * 20_000, "{" * 20_000, "<a" * 10_000,
        "[](" * 6_000, "> " * 10_000, "~~~\n" * 5_000, "a.b@" * 5_000, "%(" * 10_000, "⟦" * 20_000,
        "http://" * 2_800, "| " * 10_000, "` `` ``` " * 2_200, " " * 20_000 + "x", "www." * 5_000,
    ],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    protected = protect(text)
    assert protected.restored(protected.text) == text
    outline(text)
    assert time.process_time() - begun < patience(2), "a pattern backtracks"
