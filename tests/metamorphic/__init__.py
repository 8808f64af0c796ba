"""What may be changed of a ruleset without any change of what it decides."""
