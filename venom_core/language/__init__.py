"""The languages that Venom speaks to people, beside English."""
