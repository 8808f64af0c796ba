"""Sources in, findings out."""
