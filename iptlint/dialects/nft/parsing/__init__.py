"""nft text to tree: what the parser is made of."""
