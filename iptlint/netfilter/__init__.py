"""How the kernel walks a ruleset."""
