"""Clients of carbonline.v1, with deadlines, typed errors, and a watch that resumes."""
