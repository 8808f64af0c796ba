"""The lint rules IPT2xx."""
