"""The lint rules IPT8xx."""
