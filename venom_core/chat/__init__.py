"""One request's way from the door to the provider and back."""
