"""Carries out what findings propose: each edit is proved before a byte of a file is written."""
