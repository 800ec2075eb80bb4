"""Write a language model of a real size whose weights are drawn, with transformers: ``python
card_model.py FOLDER``. Run by the interpreter of the engine.

Only letters and signs of ASCII are ever the likeliest, so that each token is one character.
"""

from __future__ import annotations

import sys
from pathlib import Path

END, BEGIN = 257, 256


def main(folder: str) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=258, hidden_size=2048, intermediate_size=5632, num_hidden_layers=22,
        num_attention_heads=32, num_key_value_heads=4, max_position_embeddings=4096,
        bos_token_id=BEGIN, eos_token_id=END, tie_word_embeddings=False,
    )  # fmt: skip
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    with torch.no_grad():
        model.lm_head.weight[:32] = 0
        model.lm_head.weight[127:] = 0
    model.save_pretrained(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1])
