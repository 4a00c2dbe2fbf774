"""Names for what comes from libraries without types, so that signatures still say what they mean."""

from __future__ import annotations

from typing import Any, TypeAlias

#: A ``faust.App`` whose transport is a `LosslessTransport`.
FaustApp: TypeAlias = Any
#: What ``@app.agent(...)`` takes.
FaustChannel: TypeAlias = Any
#: What an agent's function gets.
FaustStream: TypeAlias = Any
#: ``faust.*Credentials``.
FaustCredentials: TypeAlias = Any
#: A started ``aiokafka.AIOKafkaProducer`` and its ``BatchBuilder``.
KafkaProducer: TypeAlias = Any
KafkaBatch: TypeAlias = Any
#: ``aiokafka.AIOKafkaConsumer``.
KafkaConsumer: TypeAlias = Any
#: A `streams.records.Record`, or an ``aiokafka.structs.ConsumerRecord`` with raw bytes, which has the same.
KafkaRecord: TypeAlias = Any
#: ``aiokafka.consumer.fetcher.Fetcher``.
KafkaFetcher: TypeAlias = Any
#: A bootstrapped ``aiokafka.client.AIOKafkaClient``.
KafkaClient: TypeAlias = Any
