"""Anthropic's Messages API over the one door to an answer."""
