"""``python -m iptlint``."""

from iptlint.cli import main

main()
