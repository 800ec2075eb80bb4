"""vLLM for Venom: Hugging Face folders, each in a process and an environment of its own."""
