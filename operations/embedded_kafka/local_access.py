"""How people, workers and members on this machine get into an embedded Kafka."""

from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from operations.directory.equipping import settings_here
from operations.embedded_kafka.trust import Trust
from operations.passwords import Passwords
from streams import access_control, provision
from streams.kafka_access import KafkaAccess
from streams.kafka_settings import USER_PLACE, access_of
from streams.principals import ADMIN
from streams.settings import Settings


class LocalAccess(msgspec.Struct, frozen=True):
    """The ways into one broker, or one cluster.

    Attributes:
        bootstrap: Where clients with a password connect, or everybody where nothing is secured.
        certificate_bootstrap: Where clients with a certificate connect; empty where nothing is secured.
        home: Directory of the folders of `Trust`; None where nothing is secured.
    """

    bootstrap: str
    certificate_bootstrap: str = ""
    home: Path | None = None

    @property
    def trust(self) -> Trust | None:
        """Certificates and passwords; None where nothing is secured."""
        return None if self.home is None else Trust(self.home)

    @property
    def equipment(self) -> Path | None:
        """Where keys of members who all live on this machine are kept; None where nothing is secured."""
        return None if self.home is None else self.home / "equipment"

    def settings(self, base: Settings) -> Settings:
        """Settings with which every user gets in whose password is kept here, by its own name."""
        return msgspec.structs.replace(base, **self._connection())

    def admin_settings(self, base: Settings) -> Settings:
        """Settings with which the administrator gets in, by certificate."""
        if self.home is None:
            return self.settings(base)
        trust = Trust(self.home)
        return msgspec.structs.replace(
            base,
            bootstrap=self.certificate_bootstrap,
            kafka_security="certificate",
            kafka_ca=trust.ca,
            kafka_user=ADMIN,
            kafka_certificate=trust.admin,
        )

    def admin(self) -> KafkaAccess:
        """Access of the administrator."""
        return access_of(self.admin_settings(Settings()), ADMIN)

    def of(self, name: str) -> KafkaAccess:
        """Access of a user whose password is kept here.

        Raises:
            SecretSourceError: It is not kept here.
        """
        return access_of(self.settings(Settings()), name)

    def add_users(self, names: Iterable[str]) -> Collection[str]:
        """Make those users whose password is not kept here yet, keep it, and answer who was made.

        Raises:
            TemporaryError: The broker does not answer.
        """
        if self.home is None:
            return ()
        trust = Trust(self.home)
        missing = trust.without_password(list(names))
        if missing:
            passwords = Passwords(trust.passwords)
            with provision.connect(self.admin()) as admin:
                access_control.set_passwords(admin, {name: passwords.of(name) for name in missing})
        return missing

    def environment(self) -> dict[str, str]:
        """The variables a shell needs to be any of these users; no secret is among them.

        Once a directory with keys was published from here, those are among them that tell where keys, trust
        and what processes remember are kept.
        """
        if self.home is None or self.equipment is None:
            return {"HX_BOOTSTRAP": self.bootstrap, "HX_KAFKA_SECURITY": "none"}
        changed = settings_here(self.settings(Settings()), self.equipment)
        kept = {
            "HX_KEYS": changed.keys,
            "HX_DIRECTORY_TRUST": str(changed.directory_trust),
            "HX_DATA_DIR": str(changed.data_dir),
        }
        return {
            "HX_BOOTSTRAP": changed.bootstrap,
            "HX_KAFKA_CA": str(changed.kafka_ca),
            "HX_KAFKA_PASSWORD": str(changed.kafka_password),
        } | ({} if changed.directory_trust is None else kept)

    def _connection(self) -> dict[str, object]:
        if self.home is None:
            return {"bootstrap": self.bootstrap, "kafka_security": "none"}
        trust = Trust(self.home)
        return {
            "bootstrap": self.bootstrap,
            "kafka_security": "scram",
            "kafka_ca": trust.ca,
            "kafka_password": f"file:{trust.password(USER_PLACE)}",
        }
