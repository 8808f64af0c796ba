"""Rules about the network of a cloud, and the host behind it."""
