"""What all tables of the schema carbon share: their metadata."""

from sqlalchemy import MetaData

METADATA = MetaData(schema="carbon")
