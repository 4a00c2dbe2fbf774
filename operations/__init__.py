"""What people run: command line, embedded Kafka, demo, simulator, accounting, the directory file."""
