"""The lint rules IPT1xx."""
