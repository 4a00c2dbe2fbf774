"""Side by side on one broker: a report's whole way against a bare aiokafka loop; `make bench` runs it."""
