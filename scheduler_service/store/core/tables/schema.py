"""What all tables of the schema scheduler share: their metadata, and its sequences."""

from sqlalchemy import MetaData, Sequence

METADATA = MetaData(schema="scheduler")

# The order in which the jobs of a type are claimed in a tenant.
IN_TURN = ("job_type", "tenant", "priority", "fair_stamp", "job_id")

tokens = Sequence("tokens", metadata=METADATA, cache=1)
pipeline_ids = Sequence("pipeline_ids", metadata=METADATA, cache=1)
job_ids = Sequence("job_ids", metadata=METADATA, cache=1)
