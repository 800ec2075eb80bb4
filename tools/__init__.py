"""What builds and checks the repository; nothing here ships to users."""
