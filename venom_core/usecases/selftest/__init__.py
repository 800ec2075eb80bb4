"""A self-test of an engine: the same questions to every one, through the wire that clients use."""
