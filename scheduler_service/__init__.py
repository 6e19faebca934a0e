"""The scheduler: who runs next, who holds what, what became of it."""
