"""The yardstick on Faust as it is shipped: an agent, a codec for the values, its own transport and defaults.

Its producer waits for all replicas, as the others' do, but Faust has no setting for idempotence.
Run as `python -m benchmarks.peers.stock_faust BOOTSTRAP GROUP SOURCE DESTINATION-PREFIX`; ends on SIGTERM.
"""

import sys
from typing import Any

import faust
from faust.serializers import codecs

from benchmarks.peers import yardstick


class RoutedCodec(codecs.Codec):  # type: ignore[misc] # Faust ships no types
    """Values are framed Avro, all fields."""

    def _loads(self, s: bytes) -> Any:  # noqa: ANN401 - Faust's signature
        return yardstick.decode(s)

    def _dumps(self, obj: Any) -> bytes:  # noqa: ANN401 - Faust's signature
        return yardstick.encode(obj)


def make_app(bootstrap: str, group: str, source: str, prefix: str) -> faust.App:
    """Build the app with its one agent."""
    codecs.register("routed", RoutedCodec())
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        producer_acks=-1,
        producer_linger_ms=5,
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
    )
    topics = {
        country: app.topic(name, key_serializer="raw", value_serializer="routed")
        for country, name in yardstick.destinations(prefix).items()
    }
    incoming = app.topic(source, key_type=bytes, key_serializer="raw", value_serializer="routed")

    async def route(stream: Any) -> None:  # noqa: ANN401 - a Faust stream
        async for key, record in stream.items():
            topic = topics[record["hosting_country"]]
            record["routed_to"] = topic.get_topic_name()
            await topic.send(key=key, value=record)

    app.agent(incoming, name="router")(route)
    return app


if __name__ == "__main__":
    app = make_app(*sys.argv[1:])
    faust.Worker(app, loglevel="ERROR").execute_from_commandline()
