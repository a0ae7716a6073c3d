"""What each model says of a clip or of a text."""
