"""Checkpoints: chosen, found or fetched, and put on a device."""
