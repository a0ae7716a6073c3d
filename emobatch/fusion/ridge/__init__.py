"""Ridge: attributes of both branches fused by a regression with an L2 penalty."""
