"""A page of its own: what was found, for who reads it first and for who mends it. Needs no network,
and runs nothing that a user's file holds."""
