"""Rules of iptables as rules of nft: written, read again, and proved to say the same."""
