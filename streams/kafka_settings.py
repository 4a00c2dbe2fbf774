"""From the settings of a process to its access to Kafka; its principals may differ, and share one setting."""

from pathlib import Path
from typing import Final

from streams.kafka_access import KafkaAccess, plaintext
from streams.secret_sources import read_secret
from streams.settings import PREFIX, Settings, SettingsError

#: Stands for the name of whoever connects in the settings of password and certificate.
USER_PLACE: Final = "{user}"


def access_of(settings: Settings, user: str) -> KafkaAccess:
    """The access that the settings of a process give to one of its principals.

    Args:
        settings: what the process was told.
        user: who connects, where the settings name nobody. In ``kafka_password`` and ``kafka_certificate``
            the text ``{user}`` stands for whoever it is, so that one setting serves several principals.

    Raises:
        SettingsError: a setting is missing; the text names it.
        SecretSourceError: the password cannot be read.
    """
    settings.with_trust()
    if settings.kafka_security == "none":
        return plaintext(settings.bootstrap)
    name = settings.kafka_user or user
    ca = settings.kafka_ca
    if ca is None:
        raise _missing("ca", "the file with the authority of the brokers' certificates")
    if settings.kafka_security == "certificate":
        if settings.kafka_certificate is None:
            raise _missing("certificate", "the file with the client's key and certificate")
        own = Path(str(settings.kafka_certificate).replace(USER_PLACE, name)).expanduser()
        return KafkaAccess(settings.bootstrap, "certificate", ca.expanduser(), name, certificate=own)
    if settings.kafka_password is None:
        raise _missing("password", f"where the password of {name} is: file:PATH, env:NAME or command:WORDS")
    address = settings.kafka_password.replace(USER_PLACE, name)
    secret = read_secret(address, f"{PREFIX}KAFKA_PASSWORD")
    return KafkaAccess(settings.bootstrap, "scram", ca.expanduser(), name, secret)


def _missing(name: str, what: str) -> SettingsError:
    return SettingsError(
        f"{PREFIX}KAFKA_{name.upper()} is not set: {what}. Connections to Kafka are secured unless "
        f"{PREFIX}KAFKA_SECURITY=none is said, which is for tests"
    )
