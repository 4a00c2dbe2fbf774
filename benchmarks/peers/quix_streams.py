"""The yardstick on Quix Streams, in an environment of its own: a streaming dataframe, at least once.

Run as `python -m benchmarks.peers.quix_streams BOOTSTRAP GROUP SOURCE DESTINATION-PREFIX`; ends on SIGTERM.
"""

import sys
from typing import Any

from quixstreams import Application
from quixstreams.models import Deserializer, Serializer

from benchmarks.peers import yardstick


class FramedReader(Deserializer):  # type: ignore[misc] # installed only in the peers' environment
    """Values are framed Avro, all fields."""

    def __call__(self, value: bytes, ctx: object) -> dict[str, Any]:  # noqa: ARG002 - the library's signature
        """Decode a value."""
        return yardstick.decode(value)


class FramedWriter(Serializer):  # type: ignore[misc] # likewise
    """Values are framed Avro, all fields."""

    def __call__(self, value: dict[str, Any], ctx: object) -> bytes:  # noqa: ARG002 - the library's signature
        """Encode a value."""
        return yardstick.encode(value)


def main(bootstrap: str, group: str, source: str, prefix: str) -> None:
    """Route until SIGTERM."""
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        commit_interval=0.5,
        loglevel="ERROR",
        producer_extra_config={
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 5,
            "batch.size": 256 << 10,
        },
    )
    topics = {
        country: app.topic(name, key_serializer="bytes", value_serializer=FramedWriter())
        for country, name in yardstick.destinations(prefix).items()
    }
    incoming = app.topic(source, key_deserializer="bytes", value_deserializer=FramedReader())

    def route(record: dict[str, Any]) -> None:
        record["routed_to"] = topics[record["hosting_country"]].name

    frame = app.dataframe(incoming).update(route)
    frame.to_topic(lambda record, *_: topics[record["hosting_country"]])
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
