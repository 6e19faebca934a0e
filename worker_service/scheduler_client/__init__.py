"""The door to the scheduler: values of the mechanics in, messages on the wire."""
