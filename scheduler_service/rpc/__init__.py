"""The RPCs of the scheduler: each checks, calls one method of the store, and answers."""
