"""From HTTP to messages of the contract and back, by their descriptors: pure."""
