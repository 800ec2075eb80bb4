"""Models that embed over transformers, in the engine's own process and environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from venom_core.sdk.engine_failures import load_errors, memory_errors
from venom_core.sdk.fast_tokenizer import FastTokenizer
from venom_core.sdk.model_folder import TOKENIZER
from venom_core.sdk.model_refusals import damaged
from venom_core.sdk.served_engine import ServedEngine, embedded_by_length
from venom_hf.launching import LESS_MEMORY, check_versions, device_of, dtype_of, launch_folder


class EmbeddingEngine(ServedEngine):
    """One model that embeds. Its configuration is that of ``TransformersEngine``.

    Every vector has length 1. Each text is computed with others of its own length only, so that
    its vector is the same in whatever company it comes.
    """

    def load(self) -> None:
        import torch
        import transformers

        check_versions(torch.__version__, transformers.__version__)
        self.name = self.config["name"]
        self.context_length = self.config["context_length"]
        self._torch = torch
        torch.set_num_threads(self.config["threads"])
        self._device = device_of(torch, self.config["device"])
        folder, own = launch_folder(Path(self.config["path"]), Path(self.config["own"]))
        with load_errors(self.name, LESS_MEMORY):
            self._tokenizer = FastTokenizer(own / TOKENIZER)
            model = transformers.AutoModel.from_pretrained(
                str(own),
                dtype=dtype_of(torch, self.config["dtype"], self._device),
                attn_implementation=self.config["attention"],
                trust_remote_code=False,
                local_files_only=True,
                use_safetensors=True,
            )
        self._model: Any = model.to(self._device).eval()
        self._pooling = folder.pooling
        self._vocabulary = int(model.get_input_embeddings().weight.shape[0])

    def encode(self, text: str, *, rendered: bool) -> list[int]:
        return self._tokenizer.encode(text, special=True)

    def embed(self, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        if any(token >= self._vocabulary for tokens in inputs for token in tokens):
            raise damaged("The model's tokenizer has tokens that the model does not have.")
        with memory_errors(self.name, LESS_MEMORY):
            return embedded_by_length(inputs, self._vectors)

    def _vectors(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """Return the vectors of texts of one length."""
        torch = self._torch
        with torch.inference_mode():
            ids = torch.tensor([list(text) for text in texts], device=self._device)
            output = self._model(input_ids=ids, attention_mask=torch.ones_like(ids))
            hidden = output.last_hidden_state.double()
            match self._pooling:
                case "cls":
                    pooled = hidden[:, 0]
                case "last":
                    pooled = hidden[:, -1]
                case _:
                    pooled = hidden.mean(dim=1)
            vectors = torch.nn.functional.normalize(pooled, dim=1)
        found: list[list[float]] = vectors.tolist()
        return found

    def close(self) -> None:
        del self._model
