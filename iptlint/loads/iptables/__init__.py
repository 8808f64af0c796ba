"""What iptables-restore and x_tables refuse."""
