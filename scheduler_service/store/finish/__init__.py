"""Finish: claims that end their jobs."""
