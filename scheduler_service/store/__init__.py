"""The only room with SQL of schema scheduler; each operation is one short transaction."""
