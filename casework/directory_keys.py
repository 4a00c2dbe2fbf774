"""Keys in a directory that are no member's own: who signs it, and the network's key, sealed to members."""

import msgspec

from casework.public_keys import PublicKey


class Signers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who must sign the next version of the directory: `threshold` of these keys (as roles in TUF).

    Attributes:
        threshold: How many of the keys must sign, at least 1.
        keys: Signing keys by the name of the person or office that holds each.
    """

    threshold: int
    keys: dict[str, PublicKey]


class SealedNetworkKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of the key of url keys, sealed.

    Attributes:
        version: 1 to 255.
        parts: The key as JWEs, each for some of the members that take part.
    """

    version: int
    parts: tuple[str, ...]


class NetworkKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of url keys, sealed to the members: workers carry them and cannot open them.

    Attributes:
        current: Version of the key in use, 1 to 255.
        sealed: The key in use and, while a change of keys runs, the one after it.
    """

    current: int
    sealed: tuple[SealedNetworkKey, ...]

    @property
    def next(self) -> int | None:
        """The version that takes over, while a change of keys runs."""
        return self.current + 1 if self.parts_of(self.current + 1) else None

    def parts_of(self, version: int) -> tuple[str, ...]:
        """Answer the JWEs of one version; none when it is not carried."""
        return next((key.parts for key in self.sealed if key.version == version), ())
