"""Who and what comes in: hosts, origins, sessions, limits, and the headers of every answer."""
