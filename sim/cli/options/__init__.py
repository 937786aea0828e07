"""What each command takes, as the user types and reads it."""
