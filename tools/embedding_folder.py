"""A model that embeds, of the Hugging Face form, as ONNX; and its vectors as transformers computes
them, to compare with.

``python tools/embedding_folder.py SOURCE FOLDER TEXTS VECTORS``, run by the environment that
``venom engines install onnx-build`` makes. ``TEXTS`` and ``VECTORS`` are JSON files: a list of
texts, and the list of vectors that is written. Tests alone use it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "last_hidden_state"
BESIDE = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
          "modules.json", "sentence_bert_config.json")  # fmt: skip


def main(source: Path, folder: Path, texts: Path, vectors: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(source)
    with torch.no_grad():
        found = [vector(torch, model, tokenizer, text) for text in json.loads(texts.read_text())]
    vectors.write_text(json.dumps(found))
    (folder / "onnx").mkdir(parents=True)
    example = tokenizer(["two words", "one"], padding=True, return_tensors="pt")
    inputs = tuple(example[name] for name in INPUTS)
    torch.onnx.export(
        graph(torch, model), inputs, folder / "onnx" / "model.onnx",
        input_names=list(INPUTS), output_names=[OUTPUT], opset_version=17, dynamo=False,
        dynamic_axes={name: {0: "texts", 1: "tokens"} for name in (*INPUTS, OUTPUT)},
    )  # fmt: skip
    shutil.copytree(source / "1_Pooling", folder / "1_Pooling")
    for name in BESIDE:
        shutil.copyfile(source / name, folder / name)


def vector(torch: Any, model: Any, tokenizer: Any, text: str) -> list[float]:
    """Return the mean of a text's tokens at length 1."""
    output = model(**tokenizer(text, return_tensors="pt"))[OUTPUT]
    found: list[float] = torch.nn.functional.normalize(output.mean(dim=1), dim=1)[0].tolist()
    return found


def graph(torch: Any, model: Any) -> Any:
    """Return a module that takes what the ONNX model takes, in that order."""

    class Tokens(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            return self.model(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            )[OUTPUT]

    return Tokens()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
