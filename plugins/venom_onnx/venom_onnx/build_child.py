"""Builds an ONNX folder from a Hugging Face folder.

``python -I build_child.py WORK PRECISION EXECUTION_PROVIDER``

Run by the interpreter of the environment ``onnx-build``, which has no Venom: standard library and
what that environment holds, nothing of ours. Each step leaves one name in ``WORK`` when it is done,
by renaming: whoever starts it again goes on behind the last of them. ``WORK/source`` has links to
the files that were looked at, and no others are opened.

The exit code says what went wrong, since a full disk takes no message.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

OK, FAILED, UNSUPPORTED, MISSING, NO_MEMORY, NO_SPACE = 0, 1, 3, 4, 12, 28
SOURCE = "source"
#: What the steps leave behind.
MODEL, TRIED = "model", "tried"
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
#: Tokens for the trial. A window of attention may be as long.
_LENGTH = 1024


def build(work: str, precision: str, provider: str) -> None:
    """Make ``WORK/model``, and run it for one token; steps that are done are passed over."""
    place = Path(work)
    model, half, tried = place / MODEL, place / f"{MODEL}.part", place / TRIED
    if not model.is_dir():
        shutil.rmtree(half, ignore_errors=True)
        make(str(place / SOURCE), str(half), precision, provider, str(place / "cache"))
        half.replace(model)
    if not tried.exists():
        if provider == "cpu":  # a card's build may be made where there is no card
            run_once(str(model))
        tried.touch()


def make(source: str, target: str, precision: str, provider: str, cache: str) -> None:
    """Write the graph, its weights, the configuration and the tokenizer of onnxruntime-genai."""
    import onnxruntime_genai.models as package

    # Its modules import each other by their bare names, as a script's.
    sys.path.insert(0, next(iter(package.__path__)))
    import builder  # type: ignore[import-not-found]
    from builders import gemma  # type: ignore[import-not-found]

    mend_gemma(gemma.Gemma3Model)
    # Code of the model's own folder is never run.
    options = builder.parse_extra_options(
        None, source, target, precision, provider, cache, ["hf_remote=false"]
    )
    builder.create_model(None, source, target, precision, provider, cache, **options)


def mend_gemma(kind: Any) -> None:
    """Let the builder of Gemma 3 read what transformers 5 gives: the numbers of its two kinds of
    attention are one mapping there, and the builder of onnxruntime-genai 0.18 knows two fields."""
    made = kind.__init__

    def init(self: Any, config: Any, *args: Any, **named: Any) -> None:
        nested = getattr(config, "rope_parameters", None)
        if isinstance(nested, dict) and "full_attention" in nested:
            config.rope_theta = nested["full_attention"]["rope_theta"]
            config.rope_local_base_freq = nested["sliding_attention"]["rope_theta"]
            config.rope_parameters = {"rope_type": "default", "rope_theta": config.rope_theta}
        made(self, config, *args, **named)

    kind.__init__ = init


def run_once(folder: str) -> None:
    """Generate one token: what cannot be loaded is not listed as built."""
    import onnxruntime_genai as genai

    model = genai.Model(folder)
    prompt = genai.Tokenizer(model).encode("1 2 3")
    options = genai.GeneratorParams(model)
    options.set_search_options(max_length=_LENGTH, do_sample=False)
    generator = genai.Generator(model, options)
    generator.append_tokens(prompt)
    generator.generate_next_token()
    generator.get_next_tokens()


def code_of(error: BaseException) -> int:
    """Return the exit code for what went wrong: the first cause that says it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or "not enough memory" in str(seen):
            return NO_MEMORY
        full = isinstance(seen, OSError) and seen.errno in _FULL
        if full or "no space left" in str(seen).lower():
            return NO_SPACE
        if isinstance(seen, NotImplementedError):
            return UNSUPPORTED
        if isinstance(seen, ImportError):
            return MISSING
        seen = seen.__cause__ or seen.__context__
    return FAILED


def main(arguments: list[str]) -> int:
    """Build; return the exit code."""
    if hasattr(os, "nice"):
        os.nice(10)
    try:
        build(*arguments)
    except Exception as error:
        traceback.print_exc()
        return code_of(error)
    return OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
