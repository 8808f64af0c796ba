"""The lint rules IPT3xx."""
