"""What was found, one file a format or a command."""
