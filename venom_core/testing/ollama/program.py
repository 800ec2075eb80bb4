"""A FAKE of Ollama's program, for what starts one: ``ollama serve`` is the fake server."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote

from venom_core.testing.ollama.records import RECORDED_VERSION

#: What it does is in the file beside it, so that a test can change it between two starts. A port
#: that is held ends it with the words of record 736.
_SCRIPT = """# A FAKE of Ollama's program: see venom_core.testing.ollama.program.
import json, os, pathlib, socket, sys, time
here = pathlib.Path(__file__).parent
how = json.loads((here / "how.json").read_text())
if sys.argv[1:] == ["--version"]:
    print("ollama version is", how["version"])
    sys.exit(how["version_code"])
assert sys.argv[1:] == ["serve"], sys.argv
seen = {name: value for name, value in os.environ.items() if name.startswith("OLLAMA_")}
with (here / "starts.jsonl").open("a") as starts:
    starts.write(json.dumps({"pid": os.getpid(), "env": seen}) + "\\n")
if how["ends_with"] is not None:
    print("Error: no GPU that this fake likes", file=sys.stderr)
    sys.exit(how["ends_with"])
time.sleep(how["late"])
host, _, port = os.environ["OLLAMA_HOST"].rpartition(":")
try:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, int(port)))
except OSError:
    print(f"Error: listen tcp {host}:{port}: bind: address already in use", file=sys.stderr)
    sys.exit(1)
print("Listening on", os.environ["OLLAMA_HOST"], flush=True)
command = [sys.executable, "-m", "venom_core.testing.ollama", "--host", host, "--port", port]
command += ["--version", how["version"]]
for scenario in how["scenarios"]:
    command += ["--scenario", scenario]
os.execv(sys.executable, command)
"""


@dataclass(frozen=True, slots=True)
class FakeStart:
    """One start: its process, and what its environment says to Ollama."""

    pid: int
    env: dict[str, str]


@dataclass(slots=True)
class Behaviour:
    """``ends_with`` is the exit code of a program that serves nothing, ``late`` the seconds before
    it listens, ``version_code`` what ``ollama --version`` ends with."""

    version: str = RECORDED_VERSION
    ends_with: int | None = None
    late: float = 0.0
    version_code: int = 0
    scenarios: tuple[str, ...] = ()


class FakeProgram:
    """An executable file ``ollama`` in a folder.

    Example::

        program = FakeProgram(tmp_path, version="0.12.5")
        provider = OllamaProvider(context(program=str(program.path), base_url="127.0.0.1:4711"))
        await provider.start_engine()
        assert program.starts()[0].env["OLLAMA_HOST"] == "127.0.0.1:4711"
    """

    def __init__(self, folder: Path, **behaviour: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "ollama"
        script = folder / "fake_ollama.py"
        script.write_text(_SCRIPT, encoding="utf-8")
        # No Python script itself, as the real one is none.
        words = f'exec {quote(sys.executable)} {quote(str(script))} "$@"'
        self.path.write_text(f"#!/bin/sh\n{words}\n", encoding="utf-8")
        self.path.chmod(0o755)
        self.behave(**behaviour)

    def behave(self, **behaviour: object) -> None:
        """Let it do this from its next start on; see :class:`Behaviour`."""
        how = asdict(Behaviour(**behaviour))  # type: ignore[arg-type]
        self.path.with_name("how.json").write_text(json.dumps(how), encoding="utf-8")

    def starts(self) -> list[FakeStart]:
        """Return its starts so far, the first one first."""
        file = self.path.with_name("starts.jsonl")
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else ()
        return [FakeStart(**json.loads(line)) for line in lines]
