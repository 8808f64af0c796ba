"""The lint rules IPT4xx."""
