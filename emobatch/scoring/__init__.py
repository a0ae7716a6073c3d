"""The job: a manifest's clips through the scorers into a score table."""
