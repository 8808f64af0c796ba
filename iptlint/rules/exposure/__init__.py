"""The lint rules IPT6xx."""
