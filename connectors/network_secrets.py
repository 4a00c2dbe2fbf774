"""The network's keys as a member holds them: out of the directory with its ring, else from its settings."""

import msgspec

from casework.directory import Directory
from casework.errors import BadInputError
from casework.network_keys import network_binding, sealed_for
from connectors.errors import SealError
from connectors.sealing import open_sealed
from streams.key_rings import KeyRing
from streams.secret_sources import Secret


class NetworkSecrets(msgspec.Struct, frozen=True):
    """The keys that url keys are made with.

    Attributes:
        current: Key in use.
        version: Its version, 1 to 255.
        next: Key of the version after it, while a change of keys runs; reports then carry both url keys.
    """

    current: Secret
    version: int = 1
    next: Secret | None = None

    def of_version(self, version: int) -> Secret | None:
        """Answer the key of a version, or None when it is not at hand."""
        if version == self.version:
            return self.current
        return self.next if version == self.version + 1 else None


class NetworkKeyHolder:
    """Answers the network's keys under a directory, opened once for each document.

    Args:
        ring: The member's ring, or None.
        given: The keys from the settings, for a directory that carries none.
    """

    def __init__(self, ring: KeyRing | None, given: NetworkSecrets) -> None:
        self._ring = ring
        self._given = given
        self._of: Directory | None = None
        self._opened = given

    def under(self, directory: Directory) -> NetworkSecrets:
        """Answer the keys under a directory.

        Raises:
            SealError: The directory carries sealed keys and this ring opens none of them.
        """
        if directory is not self._of:
            self._opened = self._open(directory)
            self._of = directory
        return self._opened

    def _open(self, directory: Directory) -> NetworkSecrets:
        carried = directory.network_keys
        if carried is None:
            return self._given
        later = None if carried.next is None else self._key(directory, carried.next)
        return NetworkSecrets(self._key(directory, carried.current), carried.current, later)

    def _key(self, directory: Directory, version: int) -> Secret:
        if self._ring is None or directory.network_keys is None:
            raise SealError("the directory seals the network key: name the member's key ring (HX_KEYS)")
        ids = {key.id for key in self._ring.keys if key.use == "seal"}
        try:
            sealed = sealed_for(directory.network_keys, directory.environment, version, ids)
            if sealed is not None:
                bound = network_binding(directory.environment, version)
                return Secret(open_sealed(sealed, self._ring, bound))
        except BadInputError as error:
            raise SealError(f"network key {version} of directory {directory.version}: {error}") from error
        raise SealError(
            f"network key {version} of directory version {directory.version} is sealed to no key of the ring"
        )
