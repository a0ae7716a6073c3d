"""Files that are elsewhere: their addresses, what may be fetched, and where it is kept."""
