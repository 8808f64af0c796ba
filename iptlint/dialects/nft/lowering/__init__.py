"""Tree to model: what ``lower`` is made of."""
