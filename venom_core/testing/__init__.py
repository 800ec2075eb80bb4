"""For the tests of plugin authors: the conformance kit, a scripted provider, a fake Ollama."""
