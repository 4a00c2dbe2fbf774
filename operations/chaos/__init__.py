"""The chaos suite: real brokers, workers and members, broken on purpose, and a proof by ids afterwards."""
