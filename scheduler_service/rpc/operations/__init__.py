"""OperationsService by noun: what people and monitoring read, and what an operator may do."""
