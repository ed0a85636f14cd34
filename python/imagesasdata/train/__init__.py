"""Fine-tune a model on hand labels."""
