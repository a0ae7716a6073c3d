"""Training: a branch's checkpoint, fine-tuned on a manifest's rows from one that is there."""
