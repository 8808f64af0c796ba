"""Whether ``nft -f`` and ``iptables-restore`` would take a file, and why not."""
