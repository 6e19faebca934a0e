"""Chain: children staged under a claim."""
