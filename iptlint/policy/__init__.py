"""What people mean: who may reach what, said in sentences, and proved of rulesets."""
