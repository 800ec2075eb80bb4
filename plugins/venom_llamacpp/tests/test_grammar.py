"""Grammars as they come: what passes, and where each broken one is wrong."""

from __future__ import annotations

import pytest

from venom_core.sdk.errors import InvalidRequest, UpstreamError
from venom_llamacpp.grammar import MOST_LEVELS, check_grammar
from venom_llamacpp.schema_refusals import grammar_refusal

WHOLE = {
    "a choice": 'root ::= "yes" | "no"',
    "names and spaces": 'root ::= item-1 ( "," item-1 )*  # a list\nitem-1::=[a-z]+',
    "lines": 'root ::= "a" |\n  "b" (\n "c"\r\n )?\r\n\r\nx ::= .',
    "escapes": r'root ::= "\"\\\x41é\U0001F600\t\r\n" [^\]\[\-a-z\x00-\x1F-]',
    "times": 'root ::= "a"{3} [b]{2,} "c"{0,5} "d"{ 1 , 2 } "e"{0,0} "f"{1999}',
    "tokens": "root ::= <[1]> !<[2]> <|im_end|>",
    "nothing": 'root ::= "" |',
    "no class": "root ::= []",
    "a rule again": 'root ::= "a"\nroot ::= "b"',
    "deep": f"root ::= {'(' * MOST_LEVELS}'{')' * MOST_LEVELS}".replace("'", '"a"'),
    "own language": 'root ::= "zażółć" [ąćęłńóśźż]*',
}
BROKEN = {
    "blank": ("  \n", "it has no rule named root"),
    "a comment": ("# root", "it has no rule named root"),
    "no root": ('start ::= "x"', "it has no rule named root"),
    "JSON": ('{"type": "object"}', "in line 1, column 1: a rule begins with its name"),
    "no sign": ('root = "x"', "column 6: behind the name of a rule stands ::="),
    "an open group": ('root ::= ("a" | "b"', "column 10: this group has no end"),
    "a closed one": ('root ::= "a")', "column 13: nothing of a rule begins so"),
    "an open text": ('root ::= "a', "column 10: a text in quotation marks has no end"),
    "an escape": (r'root ::= "\q"', "column 10: a text in quotation marks has no end, or a wrong"),
    "a short escape": (r'root ::= "\x4"', "column 10: a text"),
    "open brackets": ("root ::= [a-z", "column 10: characters in brackets have no end"),
    "a range": ("root ::= [z-a]", "column 10: a range of characters ends before it begins"),
    "a range of escapes": (r"root ::= [\x42-\x41]", "a range of characters ends before"),
    "an open token": ("root ::= <[1]", "column 10: a token stands in angle brackets"),
    "no token": ("root ::= <[x]>", "column 10: a token stands in angle brackets"),
    "no rule": ('root ::= "a" other', "column 14: there is no rule named 'other'"),
    "no rule, later": ('root ::= a\na ::= "x"\n  b', "line 3, column 4: behind the name"),
    "nothing to repeat": ("root ::= *", "column 11: there is nothing before it to repeat"),
    "backwards": ('root ::= "a"{5,2}', "column 13: a repetition ends before it begins"),
    "too often": ('root ::= "a"{1000000}', "column 13: more than 1999 repetitions"),
    "too often, perhaps": ('root ::= "a"{0,2000}', "column 13: more than 1999 repetitions"),
    "beyond numbers": (f'root ::= "a"{{{"9" * 5000}}}', "column 13: a repetition in braces"),
    "no number": ('root ::= "a"{x}', "column 13: a repetition in braces"),
    "open braces": ('root ::= "a"{1', "column 13: a repetition in braces"),
    "a large one": (f'root ::= "{"a" * 60}"{{1000}}', "stands for more than 50,000 characters"),
    "in groups": ('root ::= ("a"{0,1900})' + ' ("a"{0,1900})' * 3, "or 5,000 rules"),
    "repeated twice": ('root ::= "a"{300}{300}', "stands for more than 50,000 characters"),
    "deep": (f"root ::= {'(' * 200_000}", f"groups nest more than {MOST_LEVELS} levels deep"),
    "the end of a text": ('root ::= "a"\0(((', "column 13: the character of the number 0"),
    "a megabyte": ("root ::= " + '"a" | ' * 180_000, "stands for more than 50,000 characters"),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
async def test_a_grammar_that_llamacpp_reads_passes(name: str) -> None:
    await check_grammar({"grammar": WHOLE[name]})


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_grammar_is_refused_with_its_place(name: str) -> None:
    grammar, words = BROKEN[name]
    with pytest.raises(InvalidRequest) as raised:
        await check_grammar({"grammar": grammar})
    assert raised.value.param == "grammar" and words in raised.value.message
    assert len(raised.value.message) < 300


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"response_format": {"type": "json_object"}}, "'response_format'"),
        ({"tools": [{}]}, "'tools'"),
        ({"tools": [{}], "tool_choice": "required"}, "'tools'"),
        ({"response_format": {"type": "text"}}, None),
        ({"response_format": None, "tools": []}, None),
        ({"tools": [{}], "tool_choice": "none"}, None),
    ],
)
async def test_an_answer_has_one_form(other: dict[str, object], named: str | None) -> None:
    body = {"grammar": 'root ::= "a"', **other}
    if named is None:
        await check_grammar(body)
        return
    with pytest.raises(InvalidRequest) as raised:
        await check_grammar(body)
    assert raised.value.param == "grammar" and named in raised.value.message


@pytest.mark.parametrize("grammar", [None, ""])
async def test_no_grammar_asks_for_nothing(grammar: str | None) -> None:
    await check_grammar({"grammar": grammar, "response_format": {"type": "json_object"}})


def test_what_is_no_word_on_the_grammar_stays_as_it_is() -> None:
    error = UpstreamError("The upstream server answered 500. It says: out of memory")
    assert grammar_refusal(error) is error
