"""What editors ask about an open file, over the language server protocol."""
