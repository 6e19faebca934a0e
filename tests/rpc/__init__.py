"""The scheduler's doors: a real server on a unix socket, a real client, a real database."""
