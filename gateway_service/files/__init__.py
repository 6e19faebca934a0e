"""Files that come in and go out, chunk by chunk."""
