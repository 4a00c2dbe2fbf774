"""The directories of a bundle: which keys counted when, and whether the secretariat stands behind them."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from casework import directory as directories
from casework.directory import Directory
from casework.directory_key_checks import check_keys
from casework.dsse import DIRECTORY
from casework.errors import DirectoryRefusedError
from casework.messages import DirectoryDocument, DirectorySignature
from casework.public_keys import PublicKey
from operations.evidence.errors import BundleRefusedError
from operations.evidence.parts import DirectoryEnvelope, EnvelopeSignature, from_json, to_json
from operations.evidence.statements import Said

MAX_VERSIONS: Final = 512
_MAX_SIGNATURES: Final = 64


class Versions(msgspec.Struct, frozen=True):
    """Directories by version, with the documents that were signed."""

    documents: Mapping[int, DirectoryDocument]
    parsed: Mapping[int, Directory]

    @classmethod
    def of(cls, documents: Iterable[DirectoryDocument]) -> "Versions":
        """Read documents; one that cannot be read is left out.

        The first document of a version counts, as it does for everybody who follows the topic.
        """
        kept: dict[int, DirectoryDocument] = {}
        parsed: dict[int, Directory] = {}
        for document in documents:
            if document.version in kept:
                continue
            try:
                directory = directories.from_bytes(document.document)
            except DirectoryRefusedError:
                continue
            if directory.version == document.version:
                kept[document.version], parsed[document.version] = document, directory
        return cls(dict(sorted(kept.items())), dict(sorted(parsed.items())))

    @property
    def newest(self) -> Directory | None:
        """The highest version, which knows most about keys that were revoked."""
        return self.parsed[max(self.parsed)] if self.parsed else None

    def in_force(self, said: Said) -> Directory | None:
        """Answer the version that counted when the exchange took a statement; None when it is not here."""
        return self.parsed.get(said.directory_version)

    def at(self, moment: int) -> Directory | None:
        """Answer the newest version that was valid at a time of the exchange's clock."""
        valid = [
            directory
            for directory in self.parsed.values()
            if directory.valid_from <= moment
            and (directory.expires_at is None or moment < directory.expires_at)
        ]
        return valid[-1] if valid else None

    def revocation(self, key_id: str) -> PublicKey | None:
        """Answer the newest entry of a key that says when it was revoked, or None."""
        for version in sorted(self.parsed, reverse=True):
            _, key = self.parsed[version].keys_by_id.get(key_id, (None, None))
            if key is not None and key.revoked_at is not None:
                return key
        return None

    def needed(self, said: Iterable[Said], versions: Iterable[int]) -> "Versions":
        """Answer the versions a bundle needs: those that counted, the links of the chain, and the newest.

        A version without signers, or with those of the one before it, proves nothing about later ones: it
        stays out unless it counted.
        """
        wanted = {directory.version for one in said if (directory := self.in_force(one)) is not None}
        wanted.update(versions)
        signers: object = self
        for version, directory in self.parsed.items():
            if directory.signers is not None and directory.signers != signers:
                wanted.add(version)
            signers = directory.signers
        if self.newest is not None:
            wanted.add(self.newest.version)
        return Versions(
            {version: one for version, one in self.documents.items() if version in wanted},
            {version: one for version, one in self.parsed.items() if version in wanted},
        )


def to_part(document: DirectoryDocument) -> bytes:
    """Answer the part of a directory: its DSSE envelope."""
    signatures = tuple(EnvelopeSignature(one.key_id, one.signature) for one in document.signatures)
    return to_json(DirectoryEnvelope(DIRECTORY, document.document, signatures))


def from_part(name: str, part: bytes) -> tuple[DirectoryDocument, Directory]:
    """Read the part of a directory.

    Raises:
        BundleRefusedError: It is none.
    """
    envelope = from_json(name, part, DirectoryEnvelope)
    if envelope.payload_type != DIRECTORY:
        raise BundleRefusedError("wrong_type", f"payloadType {DIRECTORY}", name)
    if len(envelope.signatures) > _MAX_SIGNATURES:
        raise BundleRefusedError("too_many_signatures", f"at most {_MAX_SIGNATURES}", name)
    try:
        directory = directories.from_bytes(envelope.payload)
    except (DirectoryRefusedError, RecursionError) as error:
        raise BundleRefusedError("unreadable", "a directory document of a known layout", name) from error
    violation = next(check_keys(directory), None)
    if violation is not None:
        raise BundleRefusedError(violation.rule, violation.message, f"{name} {violation.field}")
    document = DirectoryDocument(
        version=directory.version,
        environment=directory.environment,
        published_at=directory.published_at,
        valid_from=directory.valid_from,
        expires_at=directory.expires_at,
        document=envelope.payload,
        signatures=tuple(
            DirectorySignature(key_id=one.keyid, signature=one.sig) for one in envelope.signatures
        ),
    )
    return document, directory
