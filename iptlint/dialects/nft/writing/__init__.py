"""From the model to nft's text: nothing here reads, and nothing that analyses comes here."""
