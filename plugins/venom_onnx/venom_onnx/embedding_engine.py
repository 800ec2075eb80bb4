"""Models that embed, over plain ONNX Runtime, in the engine's own process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from venom_core.sdk.engine_failures import load_errors
from venom_core.sdk.fast_tokenizer import FastTokenizer
from venom_core.sdk.model_folder import TOKENIZER
from venom_core.sdk.sentence_transformers import Pooling
from venom_core.sdk.served_engine import ServedEngine, embedded_by_length
from venom_onnx.embedding_config import TEXT_OUTPUTS, TOKEN_OUTPUTS
from venom_onnx.folder import read_folder
from venom_onnx.launch_config import launch_folder
from venom_onnx.load_failures import LESS_MEMORY, check_version, execution_provider_missing

_EXECUTION_PROVIDERS = {
    "cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "dml": "DmlExecutionProvider",
}  # fmt: skip


class EmbeddingEngine(ServedEngine):
    """One model that embeds. Its configuration is that of ``GenAiEngine``.

    Every vector has length 1. Each text is computed with others of its own length only, so that
    its vector is the same in whatever company it comes.
    """

    def load(self) -> None:
        import onnxruntime

        check_version("onnxruntime", onnxruntime.__version__)
        self.name = self.config["name"]
        self.context_length = self.config["context_length"]
        provider = self.config["provider"]
        chosen = _EXECUTION_PROVIDERS[provider]
        if chosen not in onnxruntime.get_available_providers():
            raise execution_provider_missing(provider)
        folder = read_folder(Path(self.config["path"]))
        own = launch_folder(folder, Path(self.config["own"]), provider)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.config["threads"]
        with load_errors(self.name, LESS_MEMORY):
            self._tokenizer = FastTokenizer(own / TOKENIZER)
            self._session = onnxruntime.InferenceSession(
                str(own / folder.model), options, providers=[chosen, "CPUExecutionProvider"]
            )
        self._pooling: Pooling | None = folder.pooling
        self._inputs = folder.inputs
        wanted = TEXT_OUTPUTS if folder.pooling is None else TOKEN_OUTPUTS
        self._output = next(name for name in wanted if name in folder.outputs)

    def encode(self, text: str, *, rendered: bool) -> list[int]:
        return self._tokenizer.encode(text, special=True)

    def embed(self, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        return embedded_by_length(inputs, self._vectors)

    def _vectors(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """Return the vectors of texts of one length."""
        import numpy as np

        tokens = np.array(texts, dtype=np.int64)
        known: dict[str, Any] = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
            "position_ids": np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape).copy(),
        }
        asked = {name: known[name] for name in self._inputs}
        (output,) = self._session.run([self._output], asked)
        pooled = pool(np.asarray(output, dtype=np.float64), self._pooling)
        lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
        found: list[list[float]] = (pooled / np.where(lengths == 0, 1, lengths)).tolist()
        return found

    def close(self) -> None:
        del self._session


def pool(output: Any, pooling: Pooling | None) -> Any:
    """Return one vector a text from those of its tokens, shape (texts, tokens, width); None where
    the graph did it."""
    match pooling:
        case "mean":
            return output.mean(axis=1)
        case "cls":
            return output[:, 0]
        case "last":
            return output[:, -1]
        case _:
            return output
