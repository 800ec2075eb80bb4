"""What exists and what a reference means."""
