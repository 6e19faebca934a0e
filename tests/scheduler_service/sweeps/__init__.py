"""The scheduler's sweeps over a store on a real PostgreSQL."""
