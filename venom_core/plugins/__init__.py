"""The plugin host: discovery, gates, isolated loading, records, and the providers it opens."""
