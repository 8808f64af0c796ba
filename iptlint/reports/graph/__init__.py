"""A ruleset as a picture: laid out in layers, and written as SVG, DOT, Mermaid or JSON."""
