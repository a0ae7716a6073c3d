"""What a model learns to say of a row: a class, or numbers; one kind a file."""
