"""Reads uploaded CSV files into batches of text columns, in bounded memory."""
