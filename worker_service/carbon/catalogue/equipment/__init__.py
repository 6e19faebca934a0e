"""Scientific, IT and other equipment in use."""
