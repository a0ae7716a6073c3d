"""Methods that fuse both branches: fitted on labelled rows, applied to all."""
