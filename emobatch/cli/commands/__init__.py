"""One module for each command; each parses, calls one library function and echoes."""
