"""What tells of a network in AWS: what the aws CLI prints, templates, plans, and the API."""
