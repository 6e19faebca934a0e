"""Uploaded CSV files to batches of text columns, in bounded memory."""
