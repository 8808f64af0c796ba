"""Tree to model."""
