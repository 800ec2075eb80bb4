"""A benchmark of models: the same few questions to each, over real answers, one after another."""
