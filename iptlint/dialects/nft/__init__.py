"""nftables: its text, as files and as listings, and its tree."""
