"""Tools that build and check the repository; nothing here ships to users."""
