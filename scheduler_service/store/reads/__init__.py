"""What people, gateways and watchers read."""
