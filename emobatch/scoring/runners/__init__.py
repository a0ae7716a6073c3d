"""Where chunks are scored."""
