"""The OpenAI wire, mounted at ``/v1``."""
