"""The lint rules IPT7xx."""
