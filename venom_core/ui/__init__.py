"""The built page and its mount."""
