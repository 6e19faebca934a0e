"""The scheduler's RPCs: a real server on a unix socket, a real client, a real database."""
