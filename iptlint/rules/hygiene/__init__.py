"""The lint rules IPT9xx."""
