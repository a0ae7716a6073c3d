"""How far thresholds that were fitted can be trusted."""
