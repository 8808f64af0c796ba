"""What people ask of a firewall, one file a question."""
