"""How long the certificates of the connection to Kafka are still valid: in time to renew them.

Three can end: that of the authority, the worker's own where it shows one, and the brokers', which a worker
sees when it connects; it looks once an hour, at the broker that comes next.
"""

import asyncio
import logging
import ssl
import time
from functools import partial
from typing import Final

from prometheus_client import Gauge

from streams.certificate_days import days_left_in
from streams.kafka_access import KafkaAccess

log = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 3600.0
_ANSWER_S: Final = 10.0
_DAY_S: Final = 86_400


class CertificateDays:
    """Shows days left, by name: `authority`, `own`, and `broker` once one was seen.

    Args:
        gauge: With the label `name`.
        access: The connection of the worker; without TLS nothing is shown.
    """

    def __init__(self, gauge: Gauge, access: KafkaAccess) -> None:
        self._gauge = gauge
        self._access = access
        for name, path in (("authority", access.ca), ("own", access.certificate)):
            if path is not None:
                gauge.labels(name).set_function(partial(days_left_in, path))

    async def run(self) -> None:
        """Look at the brokers' certificates, one after another, until cancelled."""
        addresses = self._access.bootstrap.split(",")
        turn = 0
        while self._access.context is not None:
            await self._look(addresses[turn % len(addresses)], self._access.context)
            turn += 1
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _look(self, address: str, context: ssl.SSLContext) -> None:
        host, _, port = address.rpartition(":")
        try:
            async with asyncio.timeout(_ANSWER_S):
                _, writer = await asyncio.open_connection(host, int(port), ssl=context)
        except (OSError, TimeoutError) as error:
            log.info("no certificate was seen at %s: %s", address, type(error).__name__)
            return
        shown = writer.get_extra_info("ssl_object").getpeercert()
        writer.transport.abort()
        ends_at = ssl.cert_time_to_seconds(shown["notAfter"])
        self._gauge.labels("broker").set_function(lambda: (ends_at - time.time()) / _DAY_S)
