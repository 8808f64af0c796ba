"""What the kernel does with packets, by a ruleset."""
