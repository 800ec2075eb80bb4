"""OpenAI's Responses API over the one door to an answer."""
