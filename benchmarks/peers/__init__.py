"""The contestants of the routing yardstick: each module is a worker process that does the work in its way."""
