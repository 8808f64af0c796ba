"""iptables-save text to syntax tree."""
