"""Users and faults at once, for a while; then the totals must agree with the files."""
