"""The lint rules IPT0xx."""
