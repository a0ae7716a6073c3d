"""Early fusion: both branches' embeddings through small networks, joined before the decision."""
