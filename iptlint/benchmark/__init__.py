"""The benchmarks: their items, and how each is decided for the files given."""
