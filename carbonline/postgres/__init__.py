"""PostgreSQL as every process of carbonline meets it: one URL, one pool, one reading of errors."""
