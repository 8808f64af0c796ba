"""How the pages look. ``build.py`` lays them out and calls sphinx."""

project = "iptlint"
author = "the authors of iptlint"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "iptlint"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
highlight_language = "none"
html_static_path = ["pictures"]
exclude_patterns: list[str] = []
myst_heading_anchors = 4
"""Headings may be led to, as on the pages of a checkout."""
myst_enable_extensions = ["deflist"]
nitpicky = True
pygments_style = "default"
pygments_dark_style = "monokai"
