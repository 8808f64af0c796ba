"""Carrying out commands: what ``execute`` is made of."""
