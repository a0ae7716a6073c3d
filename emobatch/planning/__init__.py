"""What a run over a manifest would take, and the jobs that a cluster is given for it."""
