"""transformers on a graphics card, behind Venom: made models, since this has to run where nothing
can be fetched.

``VENOM_TEST_HF_PYTHON`` names an interpreter with torch for the card, beside the environment that
``venom engines install hf`` makes. Without a card nothing is run.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

from bench.engine import PROMPT, TOKENS, measure, started_engine
from bench.onnx_models import HF_ENVIRONMENT
from bench.processes import Client, Server, ask
from bench.report import Figure, Report
from bench.subjects import venom
from venom_core.testing.onnx import ANSWERS, VECTORS, tokenizer
from venom_core.testing.safetensors import write_bert, write_llama

_NAMED = os.environ.get("VENOM_TEST_HF_PYTHON")
PYTHON = Path(_NAMED) if _NAMED else HF_ENVIRONMENT / "bin" / "python"
MAKER = Path(__file__).with_name("card_model.py")
_ASK = (
    "import json, torch, transformers; there = torch.cuda.is_available(); print(json.dumps({"
    "'card': torch.cuda.get_device_name() if there else None, 'torch': torch.__version__,"
    "'transformers': transformers.__version__}))"
)
#: Takes all but a little of the card's memory until it is ended.
_FILL = (
    "import torch, time; free, _ = torch.cuda.mem_get_info();"
    "held = torch.empty(free - 200_000_000, dtype=torch.uint8, device='cuda');"
    "print('held', flush=True); time.sleep(600)"
)
LARGE, SMALL, EMBEDS = "hf://large", "hf://small", "hf://embeds"


def run(*, quick: bool = False) -> Report:
    rounds = 2 if quick else 7
    report = Report("card", rounds=rounds)
    about = json.loads(_python("-c", _ASK)) if PYTHON.is_file() else {}
    if not about.get("card"):
        report.skipped = "no graphics card, or no torch that finds one"
        return report
    report.extra = {**about, "tokens": TOKENS, "prompt": PROMPT}
    with tempfile.TemporaryDirectory(prefix="venom-card-") as folder:
        models = Path(folder) / "folders"
        _write_models(models)
        env = {"VENOM_HF__PYTHON": str(PYTHON), "VENOM_HF__MODEL_PATHS": str(models)}
        with venom(Path(folder), env=env) as server:
            report.extra["checks"] = _checks(server)
            report.figures += _start(server, rounds)
            report.figures += _rates(server, rounds)
            report.extra["full_card"] = _on_a_full_card(server)
    return report


def _write_models(models: Path) -> None:
    write_llama(models / "small", ANSWERS)
    write_bert(models / "embeds", VECTORS)
    large = models / "large"
    _python(str(MAKER), str(large))
    (large / "tokenizer.json").write_text(json.dumps(tokenizer()), encoding="utf-8")
    (large / "tokenizer_config.json").write_text('{"bos_token": "<bos>"}', encoding="utf-8")


def _python(*arguments: str) -> str:
    """Run the engine's interpreter to its end; return what it printed last."""
    done = subprocess.run(
        [PYTHON, *arguments], capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout.strip().rpartition("\n")[2]


def _checks(server: Server) -> dict[str, Any]:
    """Return what was looked at, and whether it was as it must be."""
    body = {"model": SMALL, "prompt": "The capital?", "max_tokens": 20, "temperature": 0}
    said = ask(server.port, "/v1/completions", body)["choices"][0]["text"]
    texts = ["A cat sleeps.", "x", "The engine of an airplane roars!"]
    together = _vectors(server, texts)
    alone = [_vectors(server, [text])[0] for text in texts]
    ask(server.port, "/api/v1/models/unload-all", {})
    farthest = max(math.dist(one, other) for one, other in zip(together, alone, strict=True))
    return {"answer": said == "".join(ANSWERS["?"]), "batch_equals_single": farthest <= 1e-5}


def _vectors(server: Server, texts: list[str]) -> list[list[float]]:
    rows = ask(server.port, "/v1/embeddings", {"model": EMBEDS, "input": texts})["data"]
    return [row["embedding"] for row in rows]


def _start(server: Server, rounds: int) -> list[Figure]:
    path, seconds = f"/api/v1/models/{quote(LARGE, safe='')}", []
    for _ in range(min(rounds, 3)):
        began = time.monotonic()
        ask(server.port, f"{path}/load", {})
        seconds.append(time.monotonic() - began)
        ask(server.port, f"{path}/unload", {})
    return [Figure("start", "s", seconds)]


def _rates(server: Server, rounds: int) -> list[Figure]:
    engine = started_engine(server, LARGE)
    with Client() as client:
        for number in range(rounds + 1):
            measure(client, server, engine, LARGE, number)
    ask(server.port, f"/api/v1/models/{quote(LARGE, safe='')}/unload", {})
    return engine.figures()


def _on_a_full_card(server: Server) -> dict[str, Any]:
    """Return the refusal of a model for which the card has no memory left, and whether it runs
    once there is some."""
    filler = subprocess.Popen([PYTHON, "-c", _FILL], stdout=subprocess.PIPE, text=True)
    path = f"/api/v1/models/{quote(LARGE, safe='')}/load"
    try:
        assert filler.stdout is not None
        filler.stdout.readline()
        ask(server.port, path, {})
        refused: Any = None
    except HTTPError as error:
        refused = json.loads(error.read())
    finally:
        filler.kill()
        filler.wait()
    ask(server.port, path, {})
    return {"refused": refused, "runs_afterwards": True}
