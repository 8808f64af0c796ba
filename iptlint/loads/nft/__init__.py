"""What nft and nf_tables refuse."""
