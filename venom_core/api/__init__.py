"""The HTTP surface: shapes and status codes only."""
