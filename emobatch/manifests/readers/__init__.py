"""What a manifest may be read from."""
