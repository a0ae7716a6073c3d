"""Segments of long recordings: of files that say them, or by voice activity."""
