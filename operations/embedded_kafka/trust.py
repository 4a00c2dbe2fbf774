"""Where an embedded Kafka keeps what it is trusted by: certificates, and the passwords of its users.

    certificates/authority.pem    key and certificate that sign the others
    certificates/broker-1.pem     key and certificate of a broker
    access/ca.pem                 what clients trust; public
    access/hx-admin.pem           key and certificate of the administrator
    access/NAME.password          password of a user

All but ``ca.pem`` are secrets: their files and both folders are for their owner only.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from operations.embedded_kafka.certificates import (
    CERTIFICATE_DAYS,
    RENEW_BELOW_DAYS,
    Authority,
    write_private,
)
from operations.embedded_kafka.errors import KafkaStartError
from streams.certificate_days import days_left
from streams.principals import ADMIN

_PUBLIC: Final = 0o644


class Trust(msgspec.Struct, frozen=True):
    """The two folders of one broker or one cluster.

    Attributes:
        home: The directory they lie in.
    """

    home: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.home / "access" / "ca.pem"

    @property
    def admin(self) -> Path:
        """Key and certificate of the administrator."""
        return self.home / "access" / f"{ADMIN}.pem"

    @property
    def passwords(self) -> Path:
        """The directory of the passwords."""
        return self.home / "access"

    def broker(self, node: int) -> Path:
        """Key and certificate of a broker."""
        return self.home / "certificates" / f"{broker_name(node)}.pem"

    def password(self, name: str) -> Path:
        """The password of a user."""
        return self.home / "access" / f"{name}.password"

    def without_password(self, names: "list[str] | tuple[str, ...]") -> list[str]:
        """Those of `names` whose password is not kept here."""
        return [name for name in names if not self.password(name).exists()]

    def prepare(self, nodes: int, now: datetime) -> list[Path]:
        """Make what is missing, renew what has less than 30 days left, and answer the files that are new.

        Where the authority itself ends within a year of its certificates', there is a new one, and all
        certificates are made anew: brokers and clients need a restart then.

        Raises:
            KafkaStartError: A file there is damaged.
        """
        return self._issue(self._authority(now), nodes, now, RENEW_BELOW_DAYS)

    def renew(self, nodes: int, now: datetime, *, below_days: float) -> list[Path]:
        """Renew what has fewer days left, by the authority that is there; answer the files that are new.

        Raises:
            KafkaStartError: A file there is damaged or missing.
        """
        return self._issue(self._present_authority(), nodes, now, below_days)

    def _issue(self, authority: Authority, nodes: int, now: datetime, below_days: float) -> list[Path]:
        wanted = {self.broker(node): broker_name(node) for node in range(1, nodes + 1)}
        wanted[self.admin] = ADMIN
        made = [path for path in wanted if self._is_due(path, authority, now, below_days)]
        for path in made:
            write_private(path, authority.issue(wanted[path], now))
        return made

    def days_left(self, now: datetime) -> dict[str, float]:
        """Days until each certificate expires, by its name: ``authority``, ``broker-1``, ``hx-admin``."""
        files = {"authority": self.ca, **{path.stem: path for path in self._issued()}}
        return {name: days_left(path.read_bytes(), now) for name, path in files.items() if path.exists()}

    def _issued(self) -> list[Path]:
        brokers = sorted((self.home / "certificates").glob("broker-*.pem"))
        return [*brokers, self.admin]

    def _authority(self, now: datetime) -> Authority:
        authority = self._present_authority() if self._authority_file.exists() else None
        if authority is None or days_left(authority.certificate_pem(), now) < CERTIFICATE_DAYS:
            authority = Authority.make(now)
            write_private(self._authority_file, authority.to_pem())
        pem = authority.certificate_pem()
        if not self.ca.exists() or self.ca.read_bytes() != pem:
            write_private(self.ca, pem)
            self.ca.chmod(_PUBLIC)
        return authority

    @property
    def _authority_file(self) -> Path:
        return self.home / "certificates" / "authority.pem"

    def _present_authority(self) -> Authority:
        path = self._authority_file
        try:
            return Authority.from_pem(path.read_bytes())
        except (OSError, ValueError) as error:
            raise KafkaStartError(f"{path} is damaged: delete it for new certificates") from error

    @staticmethod
    def _is_due(path: Path, authority: Authority, now: datetime, below_days: float) -> bool:
        if not path.exists():
            return True
        pem = path.read_bytes()
        try:
            return days_left(pem, now) < below_days or not pem.endswith(authority.certificate_pem())
        except ValueError as error:
            raise KafkaStartError(f"{path} is damaged: delete it, and it is made anew") from error


def broker_name(node: int) -> str:
    """The name under which a broker is known to the others: a super user, as the administrator is."""
    return f"broker-{node}"
