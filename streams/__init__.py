"""Kafka: topics, wire format, slots, settings, provisioning; a lossless transport and state under Faust."""
