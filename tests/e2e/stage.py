"""A real server with the scripted engine: for what the embedded models will not do on demand.

Everything but the engine is real: the command line, the API, the store, the page. By hand:

    python tests/e2e/stage.py --home /tmp/stage --port 8399
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.unit.cli.processes import environment  # noqa: E402 -- the checkout is on the path now
from venom_core.plugins.discovery import Found  # noqa: E402
from venom_core.sdk.errors import NoDiskSpace, Unavailable  # noqa: E402
from venom_core.sdk.frames import Chunk, ToolCall, Usage, delta, finish  # noqa: E402
from venom_core.sdk.hookspecs import hookimpl  # noqa: E402
from venom_core.sdk.provider import (  # noqa: E402
    BuildProgress,
    Model,
    ModelCapability,
    PullProgress,
)
from venom_core.sdk.spec import Setting  # noqa: E402
from venom_core.testing import scripted  # noqa: E402
from venom_core.testing.deadlines import eventually, patience  # noqa: E402
from venom_core.testing.scripted import Pause, Script, say  # noqa: E402
from venom_core.testing.staging import SCRIPTED, entry, venom_over  # noqa: E402

#: Plugins beside the scripted one, for who names them in STAGE_PLUGINS.
MORE = {
    "played": ("tests.engines_plugin", "played"),
    "lab": ("tests.e2e.lab_plugin", "lab"),
    "mirror": ("tests.e2e.mirror", "mirror"),
    "shelf": ("tests.e2e.shelf_plugin", "shelf"),
}

#: What can be set of the scripted provider: a form with each kind of a field has something to show.
SETTINGS = (
    Setting("base_url", "url", None, "Where the engine answers."),
    Setting("api_key", "str", None, "Key for the engine.", secret=True),
    Setting("workers", "int", 2, "Answers at the same time.", minimum=1, maximum=8),
)
#: Of a text in which two parts stay as they are.
TRANSLATED = ["Witaj ", "⟦1⟧", ", zobacz ", "⟦2⟧", "."]
TONGUES = ("pl", "en", "de")
MARKDOWN = ["Here is a **small** program.\n\n", "```python\n", "print(1)\n", "```\n\n", "Done."]


TEX = (
    "Euler found that $e^{i\\pi} + 1 = 0$, and \\(a^2 + b^2 = c^2\\) is older.\n\n"
    "\\[\n\\int_0^1 x^2 \\, dx = \\frac{1}{3}\n\\]\n\n"
    "A ticket costs $5 and two cost $10."
)
_COLUMNS = ("Name", "Quantization", "Context", "Licence", "Provider", "Recommendation")
TABLE = "\n".join(
    ["|" + "|".join(one) + "|" for one in (_COLUMNS, ("---",) * 6)]
    + [f"|incomprehensibilities{row}|Q4_K_M|131072|Apache-2.0|ollama|works|" for row in range(3)]
)
CODE = "\n".join(
    ["```py", *(f"value_{row} = {{'key': {row}}}  # {'wide ' * 40}" for row in range(12)), "```"]
)
PICTURE = (
    "![A cat](https://example.org/cat.png) and [a page](https://example.org/) and [here](/plugins)."
)


THOUGHTS = ("First ", "this, ", "then that.")


def thinking(*words: str) -> list[Any]:
    """Return the steps of thoughts, which take their time."""
    return [step for word in words for step in (delta(reasoning=word), Pause(0.1))]


def calling(name: str, *arguments: str) -> list[Any]:
    """Return a stream that asks for a call of a tool, its arguments in pieces."""
    first = ToolCall(0, "call_a", name, arguments[0])
    more = [ToolCall(0, arguments=piece) for piece in arguments[1:]]
    pieces = [delta(tool_calls=(one,)) for one in (first, *more)]
    return [*pieces, finish("tool_calls"), Chunk(usage=Usage(12, 9))]


def essay(tokens: int) -> list[Any]:
    """Return the steps of a long answer in many blocks, at the pace of a fast machine."""
    words: list[str] = []
    while len(words) < tokens:
        part = len(words)
        words += [f"## Part {part}\n\n", *(f"word{number} " for number in range(60)), "\n\n"]
        words += [f"- item {number} of **{part}**\n" for number in range(8)]
        words += ["\n```py\n", *(f"value_{number} = {number}\n" for number in range(20)), "```\n\n"]
        words += ["| a | b |\n|---|---|\n", *(f"| {number} | so |\n" for number in range(6)), "\n"]
    pieces = say(*words[:tokens])
    return [
        step for at, one in enumerate(pieces) for step in ([one] if at % 5 else [Pause(0.01), one])
    ]


def paced(*words: str, seconds: float = 0.05) -> list[Any]:
    """Return the steps of a lawful stream with a rest before each word."""
    return [step for one in say(*words) for step in (Pause(seconds), one)]


def scripts() -> dict[str, Script]:
    """Return what each model of the stage says."""
    return {
        "hello": Script(say("Hello", " there", ".")),
        "markdown": Script(say(*MARKDOWN)),
        "slow": Script(paced(*(f"word{number} " for number in range(100)))),
        # Goes on while a page is left and opened again.
        "steady": Script(paced(*(f"word{number} " for number in range(240)))),
        "wordy": Script(paced(*(f"wort{number} " for number in range(240)))),
        "long": Script(say(*(f"word{number} " for number in range(5000)))),
        "essay": Script(essay(5000)),
        "silent": Script([Pause(forever=True)]),
        "translator": Script(say(*TRANSLATED), Model("translator", "folder", languages=TONGUES)),
        "careless": Script(
            say("Witaj."), Model("careless", "folder", languages=TONGUES, location=ROOT / "tests")
        ),
        "reasoning": Script([*thinking(*THOUGHTS), *say("So", " be it.")]),
        "tools": Script(calling("get_weather", '{"city": "Łódź",', ' "days": 3}')),
        "tex": Script(say(*TEX.splitlines(keepends=True))),
        "tables": Script(say(TABLE)),
        "code": Script(say(CODE)),
        "picture": Script(say(PICTURE)),
        "cut": Script([delta("on and "), finish("length"), Chunk(usage=Usage(3, 3))]),
    }


TINY = Model(
    "tiny", "gguf", frozenset({"chat"}), "Tiny talk", "Small talk in English.", 5_000_000,
    quantization="Q4_0", context_length=2048, installed=False, license="Apache-2.0",
)  # fmt: skip


class Fetched(list[PullProgress | Pause]):
    """The steps of a pull, behind which its model is installed."""

    def __init__(self, model: Model, *steps: PullProgress | Pause) -> None:
        super().__init__(steps)
        self.model = model

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        scripted.SCRIPTS[self.model.ref] = Script(say("Tiny", " says hello."), self.model)
        size = self.model.size_bytes or 0
        yield PullProgress("completed", f"{self.model.title} is ready", size, size)


def steps(total: int, *, seconds: float, parts: int = 10) -> list[PullProgress | Pause]:
    """Return the steps of a pull that takes its time."""
    size = total // parts
    made: list[PullProgress | Pause] = []
    for part in range(parts + 1):
        made += [PullProgress("pulling", "Fetching", part * size, total), Pause(seconds)]
    return made


def pulls() -> dict[str, Any]:
    """Return what can be fetched on the stage: `tiny` comes at once, `large` in a minute, `stuck`
    never moves after its first half."""
    large = replace(TINY, ref="large", title="Large", size_bytes=5_000_000_000)
    half = PullProgress("pulling", "Fetching", 50_000_000, 100_000_000)
    return {
        "tiny": Fetched(replace(TINY, installed=True), *steps(5_000_000, seconds=0.05)),
        "large": Fetched(
            replace(large, installed=True), *steps(5_000_000_000, seconds=0.3, parts=200)
        ),
        "stuck": [half, Pause(forever=True)],
        "broken": [half, NoDiskSpace("The disk is full.", fix="Free 50 MB, then go on.")],
    }


def library() -> dict[str, Script]:
    """Return models as a library has them: sizes, capabilities, another place."""
    words = say("Hello", " there", ".")
    chat: frozenset[ModelCapability] = frozenset({"chat", "completion"})
    return {
        "gemma": Script(words, Model("gemma", "gguf", chat | {"tools"}, "Gemma", size_bytes=3_300_000_000, quantization="Q4_K_M", context_length=8192, loaded=True)),  # noqa: E501
        "nomic": Script(words, Model("nomic", "gguf", frozenset({"embedding"}), size_bytes=270_000_000, quantization="F16", context_length=2048)),  # noqa: E501
        "away": Script(words, Model("away", "remote", chat, context_length=32768, runs_at="gpu.example")),  # noqa: E501
    }  # fmt: skip


class Tiring(list[Any]):
    """The steps of a model that falls silent after some answers."""

    def __init__(self, answers: int, *words: str) -> None:
        super().__init__(say(*words))
        self.answers = answers

    def __iter__(self) -> Iterator[Any]:
        self.answers -= 1
        return iter([Pause(forever=True)] if self.answers < 0 else list(super().__iter__()))


def examined() -> dict[str, Script]:
    """Return models for self-tests: one that answers, one that falls silent at the third question,
    one whose engine is down."""
    can: frozenset[ModelCapability] = frozenset({"chat", "completion", "tools"})
    down = Unavailable("The engine is down.", code="engine_down", fix="Start the engine.")
    return {
        "able": Script(say("one ", "two "), Model("able", "folder", can)),
        "tiring": Script(Tiring(3, "one ", "two "), Model("tiring", "folder", can)),
        "down": Script([down], Model("down", "folder", can, runs_at="gpu.example")),
    }


#: Other models than those of every stage, by `STAGE_SCENE`.
SCENES = {
    "library": library,
    "examined": examined,
    "empty": lambda: {"tiny": Script([], TINY)},
}


class Stage:
    """The server as a process; a context manager. ``restart`` keeps its address and its data.

    Raises ``RuntimeError`` with the end of its log where it ends at its start, and ``TimeoutError``
    where it does not begin.
    """

    script = __file__

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        self._env = env
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        import json

        self.home.mkdir(parents=True, exist_ok=True)
        log = (self.home / "stage.log").open("ab")
        argv = [sys.executable, self.script, "--home", str(self.home), "--port", str(self._port)]
        with log:
            self._process = process = subprocess.Popen(
                argv, env=environment(self.home, **self._env), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        record = self.home / "run" / "server.json"

        def found() -> str:
            if process.poll() is not None:
                raise RuntimeError((self.home / "stage.log").read_text(encoding="utf-8")[-2000:])
            try:
                told = json.loads(record.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                return ""
            return str(told["url"]) if told["pid"] == process.pid else ""

        if not eventually(found, 60):
            raise TimeoutError("The stage did not start.")
        self.url = found()
        self._port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(patience(30))
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()


def main(
    models: Callable[[], dict[str, Script]] = scripts, installed: Found = SCRIPTED, **spec_of: Any
) -> None:
    """Serve what the models say; ``spec_of`` are fields of the provider that are not as its own."""
    from venom_core.cli.main import run_command
    from venom_core.composition import Venom
    from venom_core.settings.layers import Settings
    from venom_core.settings.paths import Paths

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", required=True)
    parser.add_argument("--port", default="8399")
    options = parser.parse_args()
    os.environ["VENOM_HOME"] = options.home
    scene = os.environ.get("STAGE_SCENE", "")
    scripted.SCRIPTS.update(SCENES[scene]() if scene else models())
    scripted.PULLS.update(pulls())
    scripted.BUILDS["scripted://careless"] = [
        BuildProgress("building", "Converting the weights", 10),
        Pause(1.0),
        BuildProgress("building", "Writing the model", 60),
        Pause(forever=True),
    ]
    (spec,) = scripted.venom_providers()
    spec = replace(spec, settings=SETTINGS, **spec_of)
    scripted.venom_providers = hookimpl(lambda: [spec])  # type: ignore[assignment]

    names = os.environ.get("STAGE_PLUGINS", "").split()
    more = [entry(*MORE[name]) for name in names]
    if "played" in names:
        from tests.engines_plugin import PLAYED

        PLAYED.lives, PLAYED.pid = True, os.getpid()

    def made(**options: Any) -> Venom:
        settings = Settings.load(Paths.resolve(), os.environ, options.get("flags"))
        return venom_over(settings, [installed, *more])

    Venom.from_environment = made  # type: ignore[method-assign,assignment]
    sys.exit(run_command(["serve", "--port", options.port]))


if __name__ == "__main__":
    main()
