"""New certificates for brokers that run, without a restart.

Setting a listener's keystore to the same file makes a broker read that file again, within a second or two;
what is connected stays connected. A certificate keeps its name, or the broker refuses it. The authority
itself is renewed at a start only, because brokers and clients have to learn it.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from casework.errors import TemporaryError
from operations.embedded_kafka.broker import EmbeddedKafka
from operations.embedded_kafka.certificates import RENEW_BELOW_DAYS
from operations.embedded_kafka.trust import Trust
from streams import provision

_LISTENERS: Final = ("client", "mtls", "controller")


def renew(
    nodes: Sequence[EmbeddedKafka], now: datetime, *, below_days: float = RENEW_BELOW_DAYS
) -> list[Path]:
    """Renew the certificates of one cluster that have fewer days left, and answer the files that are new.

    Raises:
        TemporaryError: A broker does not answer; the files are new, and it reads them at its next start.
    """
    access = nodes[0].local_access
    if access.trust is None:
        return []
    made = access.trust.renew(len(nodes), now, below_days=below_days)
    for number, node in enumerate(nodes, start=1):
        if access.trust.broker(number) in made:
            _read_again(node, number, access.trust)
    return made


def _read_again(node: EmbeddedKafka, number: int, trust: Trust) -> None:
    place = str(trust.broker(number))
    configs = {f"listener.name.{name}.ssl.keystore.location": place for name in _LISTENERS}
    try:
        with provision.connect(node.access) as admin:
            # kafka-python knows no names of listeners and would refuse them.
            admin.alter_configs(
                [ConfigResource(ConfigResourceType.BROKER, str(number), configs)], raise_on_unknown=False
            )
    except KafkaError as error:
        raise TemporaryError(f"a broker did not take its new certificate: {type(error).__name__}") from error
