"""Workbooks and archives: the table in them, as CSV text."""
