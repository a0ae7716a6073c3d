"""The way in: what names clips, the clips, and their audio."""
