"""Submit: pipelines and their roots."""
