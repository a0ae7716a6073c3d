"""What training makes small: one loss a file, and a registry of them."""

# How classes are weighed.
BALANCED, EVEN = "balanced", "none"
