"""Venom's own API, mounted at ``/api/v1``."""
