"""The parts of `tools/release.py`: the version, the changelog, the artefacts and their rules."""
