"""Methods fitted and tested in each fold."""
