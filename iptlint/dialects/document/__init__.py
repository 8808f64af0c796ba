"""Documents of objects, lists and values: JSON, and YAML where it can be read."""
