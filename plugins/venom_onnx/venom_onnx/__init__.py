"""ONNX Runtime for Venom: language models and embeddings, each in a process of its own."""
