"""`hx directory draft`, `sign` and `anchor`: a version on its way between the people who sign it, offline."""

import hashlib
import re
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from casework import directory_checks
from casework.directory import HOUR_MS, Directory
from casework.directory_signing import sign as add_signatures
from casework.directory_signing import signed_by
from casework.errors import EditRefusedError
from casework.messages import DirectoryDocument
from operations.command_line.directory_options import CandidatesOption, Signed, chosen_candidates
from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson, print_json
from operations.command_line.session import Session
from operations.command_line.texts import moment
from operations.directory import signed_files
from operations.key_files import ring_address, ring_path
from operations.setting_up import read_directory
from streams.directory_versions import document_of
from streams.key_rings import KeyRing, Signer


def draft(
    context: typer.Context,
    signed: Signed,
    candidates: CandidatesOption = None,
    valid_in: Annotated[
        float,
        typer.Option(
            "--valid-in",
            min=0,
            help="Hours until it takes effect: time for everybody to sign, and a minute for all to read it."
            " 0 for the very first version.",
        ),
    ] = 24.0,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="The version before (.json), which this one must be able to follow."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the directory file as a document to be signed, valid from a time to come; it needs no network.

    Example: hx directory draft version-7.json --against version-6.json
    """
    session: Session = context.obj
    now = session.clock.now_ms()
    directory = read_directory(
        session.file_settings,
        now,
        valid_from=now + round(valid_in * HOUR_MS),
        candidates=chosen_candidates(session, candidates),
    )
    if against is not None:
        violations = directory_checks.check_successor(signed_files.load(against)[1], directory)
        if violations:
            raise EditRefusedError(violations)
    signed_files.save(signed, document_of(directory), is_new=True)
    _warn_of_number(signed, directory.version)
    _tell_signed(signed, document_of(directory), directory, as_json=as_json)


def sign(
    context: typer.Context,
    signed: Signed,
    signer: Annotated[str, typer.Option("--signer", help="Your name among the signers.")],
    ring: Annotated[
        str | None,
        typer.Option("--ring", help="Where your ring is: a path, file:PATH, env:NAME or command:WORDS."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add your signatures to a document, one by each key of your ring; read 'hx directory diff' first.

    Example: hx directory sign version-7.json --signer anna --ring file:/media/anna/signer-anna.jwks
    """
    session: Session = context.obj
    kept = ring_path(session.file_settings, f"signer-{signer}", is_signer=True)
    address = ring_address(ring or str(kept))
    document, directory = signed_files.load(signed)
    directory_checks.require(directory)
    keys = [key for key in KeyRing.read(address, "ring").keys if key.use == "sign"]
    listed = None if directory.signers is None else directory.signers.keys.get(signer)
    if not keys:
        leave(Exit.USAGE, "the ring holds no key to sign with")
    if listed is None:
        print(f"hx: {signer} is no signer of this version: it counts only where one before names {signer}",
              file=sys.stderr)  # fmt: skip
    elif listed.id not in {key.id for key in keys}:
        leave(Exit.USAGE, f"the key of {signer} in the document is not in the ring")
    document = add_signatures(document, map(Signer, keys))
    signed_files.save(signed, document, is_new=False)
    _tell_signed(signed, document, directory, as_json=as_json)


def anchor(context: typer.Context, signed: Signed) -> None:
    """Print the trust anchor: the signers of a document, as workers and members pin them once and for all.

    Example: hx directory anchor version-1.json > directory-trust.json
    """
    del context
    _, directory = signed_files.load(signed)
    if directory.signers is None:
        leave(Exit.NO, "this version names no signers")
    print(msgspec.json.format(msgspec.json.encode(directory.signers)).decode())


def _warn_of_number(path: Path, version: int) -> None:
    """Say where file names say that the number of the version was forgotten."""
    number = re.search(r"version-(\d+)", path.name)
    if number is not None and int(number[1]) != version:
        print(f"hx: {path.name} holds version {version}: raise 'version' in the directory file?",
              file=sys.stderr)  # fmt: skip
    higher = [
        other.name
        for other in path.parent.glob("version-*.json")
        if (found := re.search(r"version-(\d+)", other.name)) and int(found[1]) >= version and other != path
    ]
    if higher:
        print(f"hx: {', '.join(sorted(higher))} beside it has that number or a higher one: a version that is"
              f" published already is refused", file=sys.stderr)  # fmt: skip


def _tell_signed(path: Path, document: DirectoryDocument, directory: Directory, *, as_json: bool) -> None:
    signers = directory.signers
    names = () if signers is None else signed_by(document, signers)
    needed = 0 if signers is None else signers.threshold
    if as_json:
        print_json(
            {
                "file": str(path),
                "version": directory.version,
                "valid_from": directory.valid_from,
                "signed_by": names,
                "threshold": needed,
            }
        )
        return
    print(f"{path}: directory version {directory.version} for {directory.environment}")
    print(
        f"valid from {moment(directory.valid_from)}, sha256 {hashlib.sha256(document.document).hexdigest()}"
    )
    print(f"signed by {len(names)} of the {needed} that are needed: {', '.join(names) or 'nobody'}")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (draft, sign, anchor):
        app.command()(command)
