"""Files in and out: immutable, kept by tenant and content."""
