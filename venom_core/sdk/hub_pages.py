"""Pages of Hugging Face about models, for the ``pages`` of providers that take ``hf.co/...``."""

from typing import Final

_HUB = r"(?:huggingface|hf)\.co"
_NO_MODEL = r"(?!(?:datasets|spaces|collections|papers|docs|blog|models|organizations)/)"
_REPOSITORY = rf"{_HUB}/{_NO_MODEL}([^/]+/[^/]+)"
_QUANTIZATION = r"(I?Q\d[A-Z0-9_]*|BF16|FP?16|FP?32|MXFP4[A-Z0-9_]*)"

_FILE = rf"(?:.*[-._/])?{_QUANTIZATION}(?:-\d{{5}}-of-\d{{5}})?\.gguf"

#: For ``ProviderSpec.pages``: addresses of models and of their files.
HUB_PAGES: Final = (
    (rf"{_REPOSITORY}/(?:blob|resolve|raw)/[^/]+/{_FILE}", r"hf.co/\1:\2"),
    (rf"{_REPOSITORY}(?:/(?:tree|blob|resolve|raw|discussions|commits?)(?:/.*)?)?", r"hf.co/\1"),
)
