"""The contract between members: Avro schemas, their ids in a lock file, and what keeps them compatible."""
