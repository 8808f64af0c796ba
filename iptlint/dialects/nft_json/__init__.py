"""nftables' JSON, as ``nft -j list ruleset`` prints it, to the tree of the text."""
