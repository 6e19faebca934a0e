"""Users and faults at once, for a while, and then the books must balance."""
