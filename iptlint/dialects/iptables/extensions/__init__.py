"""The table of matches and targets, and what its rows are made of."""
