"""The client of the scheduler: turns values of the mechanics into messages of the wire."""
