"""Language models over transformers, in the engine's own process and environment.

The library computes logits; words and tokens are the ``tokenizers`` library's, the prompt is the
model's own template, and each token is chosen here, since ``generate`` gives no token to a caller
and takes no notice of half of what a request may ask. Venom's server never imports this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from venom_core.sdk.chat_template import ChatTemplate
from venom_core.sdk.engine_failures import load_errors, memory_errors
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.fast_tokenizer import FastTokenizer
from venom_core.sdk.model_folder import TOKENIZER, ModelFolder
from venom_core.sdk.model_refusals import damaged
from venom_core.sdk.served_engine import Messages, Sampling, ServedEngine, Token
from venom_core.sdk.text_pieces import Characters
from venom_hf.launching import LESS_MEMORY, check_versions, device_of, dtype_of, launch_folder
from venom_hf.sampling import Chooser

PARAMETERS = frozenset(
    {
        "frequency_penalty", "logit_bias", "logprobs", "min_p", "presence_penalty",
        "repeat_penalty", "response_format", "seed", "temperature", "tools", "top_k",
        "top_logprobs", "top_p",
    }
)  # fmt: skip
#: Tokens of a prompt that are computed in one step: between two steps other answers go on.
STEP = 512


class TransformersEngine(ServedEngine):
    """One language model.

    Its configuration: ``path`` of the model's folder, ``own`` (a folder of this launch), ``name``,
    ``context_length``, ``parallel``, ``threads``, ``device``, ``dtype``, ``attention``.
    """

    parameters = PARAMETERS

    def load(self) -> None:
        import torch
        import transformers

        check_versions(torch.__version__, transformers.__version__)
        self.name, self.parallel = self.config["name"], self.config["parallel"]
        self.context_length = self.config["context_length"]
        self.torch = torch
        torch.set_num_threads(self.config["threads"])
        self._device = device_of(torch, self.config["device"])
        # cuDNN plans each length of a cache anew in each thread: a third of the speed on an H200.
        torch.backends.cuda.enable_cudnn_sdp(False)
        folder, own = launch_folder(Path(self.config["path"]), Path(self.config["own"]))
        with load_errors(self.name, LESS_MEMORY):
            self._tokenizer = FastTokenizer(own / TOKENIZER)
            self._model = self._load(transformers, own)
        self._generation: Mapping[str, Any] = folder.generation
        self._ends = self._end_tokens(folder)
        self._template = _template_of(folder)
        self._vocabulary = int(self._model.get_input_embeddings().weight.shape[0])

    def _load(self, transformers: Any, own: Path) -> Any:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            str(own),
            dtype=dtype_of(self.torch, self.config["dtype"], self._device),
            attn_implementation=self.config["attention"],
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=True,
        )
        return model.to(self._device).eval()

    def _end_tokens(self, folder: ModelFolder) -> frozenset[int]:
        told = folder.generation.get("eos_token_id")
        if told is None:
            told = self._model.config.get_text_config().eos_token_id
        ends = told if isinstance(told, list) else [told]
        return frozenset(end for end in ends if type(end) is int)

    def render(self, messages: Messages, body: Mapping[str, Any]) -> str:
        if self._template is None:
            self._cannot("chat")
        return self._template.render(messages, body.get("tools"))

    def encode(self, text: str, *, rendered: bool) -> list[int]:
        tokens = self._tokenizer.encode(text, special=not rendered)
        if any(token >= self._vocabulary for token in tokens):
            raise damaged("The model's tokenizer has tokens that the model does not have.")
        return tokens

    def generate(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[Token]:
        if any(token >= self._vocabulary for token in prompt):
            raise InvalidRequest(
                "The prompt has a token that the model does not have.", param="prompt"
            )
        with memory_errors(self.name, LESS_MEMORY):
            chooser = Chooser(self, prompt, sampling)
            characters = Characters(self._tokenizer.decode)
            cache, logits = self._prefill(prompt)
        while True:
            with memory_errors(self.name, LESS_MEMORY), self.torch.inference_mode():
                chosen = chooser.choose(logits)
            if chosen.token in self._ends or chosen.ends:
                return
            yield Token(
                chosen.token, characters.add(chosen.token), chosen.logprob,
                tuple((self._tokenizer.shown(one), value) for one, value in chosen.top),
            )  # fmt: skip
            with memory_errors(self.name, LESS_MEMORY):
                cache, logits = self._step([chosen.token], cache)

    def _prefill(self, prompt: Sequence[int]) -> tuple[Any, Any]:
        cache, logits = None, None
        for begin in range(0, len(prompt), STEP):
            cache, logits = self._step(prompt[begin : begin + STEP], cache)
        return cache, logits

    def _step(self, tokens: Sequence[int], cache: Any) -> tuple[Any, Any]:
        """Return the cache with these tokens too, and the logits of the one that follows."""
        with self.torch.inference_mode():
            ids = self.torch.tensor([list(tokens)], device=self._device)
            out = self._model(
                input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1
            )
            return out.past_key_values, out.logits[0, -1].float()

    # -- what choosing a token needs ---------------------------------------------------------

    def own_sampling(self, name: str) -> Any:
        """Return what the model's own ``generation_config.json`` says; None where nothing."""
        value = self._generation.get(name)
        return value if isinstance(value, bool | int | float) else None

    def guide(self, schema: str) -> Any:
        """Return llguidance's matcher of a JSON schema over this model's vocabulary."""
        import llguidance

        if not hasattr(self, "_guided"):
            text = self._tokenizer.inner.to_str()
            end = min(self._ends, default=None)
            self._guided = llguidance.LLTokenizer(text, self._vocabulary, end)
        grammar = llguidance.LLMatcher.grammar_from_json_schema(schema)
        return llguidance.LLMatcher(self._guided, grammar)

    def close(self) -> None:
        del self._model


def _template_of(folder: ModelFolder) -> ChatTemplate | None:
    text = folder.chat_template
    return None if text is None else ChatTemplate.of(folder.path, text)
