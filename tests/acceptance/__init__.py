"""The product as it runs: its own processes, real files, real failures."""
