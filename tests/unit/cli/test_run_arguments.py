"""The meaning of the words after `venom run`."""

from __future__ import annotations

import pytest

from venom_core.cli.run_arguments import Request, read_words

KNOWN = {
    "My Model (v2)",
    "/models/llama 3/",
    "gemma3:4b",
    "smollm2:135m",
    "llamacpp://smollm2:135m",
    "scripted",
}


@pytest.mark.parametrize(
    ("words", "model", "prompt", "stdin"),
    [
        ((), None, None, False),
        (("What is 2 + 2?",), None, "What is 2 + 2?", False),
        (("hi",), None, "hi", False),
        (("Hello!",), None, "Hello!", False),
        (("why:",), None, "why:", False),
        (("scripted",), "scripted", None, False),
        (("gemma3:4b",), "gemma3:4b", None, False),
        (("gemma3",), "gemma3", None, False),  # short for a known name
        (("gema3:4b",), "gema3:4b", None, False),  # misspelt: refused as a model, never sent
        (("smolm2",), "smolm2", None, False),
        (("mistral:7b",), "mistral:7b", None, False),
        (("hf.co/org/repo",), "hf.co/org/repo", None, False),
        (("remote://x",), "remote://x", None, False),
        (("model.gguf",), "model.gguf", None, False),
        (("scripted", "Say hello."), "scripted", "Say hello.", False),
        (("nothing", "Say", "hello."), "nothing", "Say hello.", False),
        (("-",), None, None, True),
        (("scripted", "-"), "scripted", None, True),
        (("scripted", "Sum up:", "-"), "scripted", "Sum up:", True),
        (("Sum up this:", "-"), None, "Sum up this:", True),
        (("My Model (v2)",), "My Model (v2)", None, False),
        (("/models/llama 3/", "Say hello."), "/models/llama 3/", "Say hello.", False),
        (("My Model (v3)",), None, "My Model (v3)", False),
        (("a text that ends in -",), None, "a text that ends in -", False),
    ],
)
def test_words(words: tuple[str, ...], model: str, prompt: str, stdin: bool) -> None:
    found = read_words(words, KNOWN)
    assert (found.model, found.prompt, found.stdin) == (model, prompt, stdin)


def test_a_word_taken_as_the_prompt_is_said() -> None:
    assert "hi" in (read_words(("hi",), KNOWN).assumed or "")
    assert read_words(("What is it?",), KNOWN) == Request(None, "What is it?")
