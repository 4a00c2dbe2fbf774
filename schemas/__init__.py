"""The contract between members: Avro schemas, their ids, and the codec that reads and writes by them."""
