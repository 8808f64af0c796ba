"""The lint rules IPT5xx."""
