"""`hx keys`: key pairs of members, of the exchange and of signers. Private parts stay in their ring."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from casework.directory import EXCHANGE, Directory
from casework.public_keys import KeyUse, PublicKey
from operations.command_line import network_keys
from operations.command_line.exits import Exit, leave
from operations.command_line.naming import no_member
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.command_line.texts import moment, time_of
from operations.directory import files
from operations.directory.key_lines import time_text, whole_second, yaml_list, yaml_signer
from operations.key_files import create_ring, extend_ring, read_ring, ring_address, ring_path
from operations.setting_up import candidates_by_default, directory_file
from streams.key_rings import KeyRing, PrivateKey

app = typer.Typer(
    help="Keys. Private parts stay in a ring, a file that only its owner may read; what is printed is public."
)
app.add_typer(network_keys.app, name="network", no_args_is_help=True)

DAY_MS: Final = 86_400_000
GRACE_DAYS: Final = 30

Owner = Annotated[str | None, typer.Argument(metavar="[MEMBER]", help="Member id, such as nl-offlimits.")]
OfExchange = Annotated[bool, typer.Option("--exchange", help="The keys of the exchange itself.")]
OfSigner = Annotated[str | None, typer.Option("--signer", help="Name of a signer of directories.")]
Ring = Annotated[
    str | None,
    typer.Option(
        "--ring",
        help="File of the ring, as PATH or file:PATH; default the file in HX_KEYS, else keys/NAME.jwks in the"
        " data directory.",
    ),
]


class Holder(msgspec.Struct, frozen=True):
    """Whose keys they are.

    Attributes:
        name: Member id, `exchange`, or the signer's name.
        kind: What it is.
    """

    name: str
    kind: str

    @property
    def uses(self) -> tuple[KeyUse, ...]:
        """What its keys are for."""
        return ("sign", "seal") if self.kind == "member" else ("sign",)

    @property
    def ring_name(self) -> str:
        """Name of its ring: signers are people, and may be called like a member."""
        return f"signer-{self.name}" if self.kind == "signer" else self.name

    def listed(self, directory: Directory) -> tuple[PublicKey, ...]:
        """Answer its keys in the directory file."""
        if self.kind == "exchange":
            return directory.exchange_keys
        if self.kind == "signer":
            signers = {} if directory.signers is None else directory.signers.keys
            return tuple(key for name, key in signers.items() if name == self.name)
        member = directory.members_by_id.get(self.name)
        return () if member is None else member.keys


def _holder(owner: str | None, exchange: bool, signer: str | None) -> Holder:
    if (owner is not None) + exchange + (signer is not None) != 1:
        raise typer.BadParameter("name a member, or --exchange, or --signer NAME: one of them")
    if signer is not None:
        return Holder(signer, "signer")
    return Holder(EXCHANGE, "exchange") if owner is None else Holder(owner, "member")


def _directory(session: Session) -> Directory:
    settings = session.file_settings
    return files.parse(
        files.read(directory_file(settings)),
        environment=settings.environment,
        published_at=session.clock.now_ms(),
        candidates=candidates_by_default(settings),
        unfinished=True,
    )


def _path(session: Session, holder: Holder, ring: str | None) -> Path:
    if ring is None:
        return ring_path(session.file_settings, holder.ring_name, is_signer=holder.kind == "signer")
    scheme, _, place = ring_address(ring).partition(":")
    if scheme != "file":
        raise typer.BadParameter("keys are kept in a file: PATH or file:PATH", param_hint="--ring")
    return Path(place).expanduser()


def _require_known(holder: Holder, directory: Directory) -> None:
    if holder.kind == "member" and holder.name not in directory.members_by_id:
        no_member(holder.name, directory)


def _own_ring(path: Path, holder: Holder, directory: Directory) -> KeyRing:
    """Read a ring, and end the command where the directory file lists its keys for somebody else."""
    ring = read_ring(path, "ring")
    for key in ring.keys:
        owner, _ = directory.keys_by_id.get(key.id, (holder.name, None))
        if owner != holder.name and holder.kind != "signer":
            leave(Exit.USAGE, f"{path} is the ring of {owner}: name that of {holder.name} with --ring")
    return ring


@app.command()
def new(
    context: typer.Context,
    owner: Owner = None,
    exchange: OfExchange = False,
    signer: OfSigner = None,
    ring: Ring = None,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", help="From when the keys count; default now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new ring and print its public keys as lines for the directory file; a ring is never overwritten.

    A member gets a key to sign and one to open what is sealed to it; the exchange and signers a key to sign.

    Example: hx keys new nl-offlimits
    """
    session: Session = context.obj
    holder = _holder(owner, exchange, signer)
    if holder.kind == "member":
        _require_known(holder, _directory(session))
    path = _path(session, holder, ring)
    pairs = [PrivateKey.new(use) for use in holder.uses]
    create_ring(path, KeyRing(pairs))
    start = _start(session, valid_from)
    _tell(holder, path, [pair.entry(start) for pair in pairs], as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    owner: Owner = None,
    exchange: OfExchange = False,
    signer: OfSigner = None,
    ring: Ring = None,
    as_json: AsJson = False,
) -> None:
    """Show the public keys of a ring, and what the directory file says about each.

    Example: hx keys show nl-offlimits
    """
    session: Session = context.obj
    holder = _holder(owner, exchange, signer)
    directory = _directory(session)
    _require_known(holder, directory)
    path = _path(session, holder, ring)
    listed = {key.id: key for key in holder.listed(directory)}
    now = session.clock.real_ms()
    rows = []
    for pair in _own_ring(path, holder, directory).keys:
        entry = listed.get(pair.id)
        state = "not in the directory file" if entry is None else entry.fault_at(now) or "valid"
        rows.append((pair.id, pair.use, state, "" if entry is None else moment(entry.valid_from)))
    if as_json:
        for key_id, use, state, start in rows:
            print_json({"id": key_id, "use": use, "state": state, "valid_from": start or None})
        return
    print_table(f"keys of {holder.name} in {path}", ("id", "use", "state", "valid from"), rows)


@app.command()
def rotate(
    context: typer.Context,
    owner: Owner = None,
    exchange: OfExchange = False,
    signer: OfSigner = None,
    ring: Ring = None,
    use: Annotated[str | None, typer.Option("--use", help="Only the key to sign or to seal.")] = None,
    grace_days: Annotated[
        int,
        typer.Option(
            "--grace-days",
            min=0,
            help="Days for which the old key still counts after the new one began. What was sealed to it"
            " stays readable for ever: it remains in the ring.",
        ),
    ] = GRACE_DAYS,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", help="From when the new keys count; default now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add new keys to a ring and print all its lines for the directory file: old keys end after a grace.

    A signer of directories has one key: its new line replaces the old one, and the next version is signed
    with both, which 'hx directory sign' does.

    Example: hx keys rotate nl-offlimits --use sign
    """
    session: Session = context.obj
    holder = _holder(owner, exchange, signer)
    uses = [known for known in holder.uses if use in {None, known}]
    if not uses:
        raise typer.BadParameter(f"expected one of {', '.join(holder.uses)}", param_hint="--use")
    directory = _directory(session)
    _require_known(holder, directory)
    path = _path(session, holder, ring)
    before = holder.listed(directory)
    start = _start(session, valid_from)
    pairs = [PrivateKey.new(each) for each in uses]
    there = _own_ring(path, holder, directory)
    extend_ring(path, there.with_keys(pairs))
    entries = [pair.entry(start) for pair in pairs]
    if holder.kind != "signer":
        ends = start + grace_days * DAY_MS
        entries += [_ending(key, ends) if key.use in uses else key for key in before]
        known = {key.id for key in before}
        for old in there.keys:
            if old.id not in known and old.use in uses and not as_json:
                # Members have no directory file of the network's own: the secretariat ends their old keys.
                print(f"# tell the secretariat: key {old.id} ends, valid_until: {time_text(ends)}")
    _tell(holder, path, entries, as_json=as_json)


@app.command()
def revoke(
    context: typer.Context,
    owner: Owner = None,
    exchange: OfExchange = False,
    signer: OfSigner = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="Id of a key; may be repeated. Default all.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="Since when others may hold it; default now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the lines of the directory file by which keys are not believed from a moment on; no file changes.

    What a key signed before that moment stays proven. A signer of directories is not revoked: take its lines
    out, and have the next version signed by the others.

    Example: hx keys revoke nl-offlimits --at 2026-11-28T12:00:00Z
    """
    session: Session = context.obj
    holder = _holder(owner, exchange, signer)
    directory = _directory(session)
    _require_known(holder, directory)
    listed = holder.listed(directory)
    if not listed:
        leave(Exit.NO, f"the directory file lists no keys of {holder.name}")
    asked = set(key or (one.id for one in listed))
    unknown = asked - {one.id for one in listed}
    if unknown:
        leave(Exit.USAGE, f"{len(unknown)} of these are no keys of {holder.name}: see 'hx keys show'")
    if holder.kind == "signer":
        leave(Exit.NO, f"take {holder.name} out of signers.keys: the next version needs no revocation")
    moment_ms = _start(session, at)
    entries = [
        msgspec.structs.replace(one, revoked_at=moment_ms) if one.id in asked else one for one in listed
    ]
    _tell(holder, None, entries, as_json=as_json)


def _ending(key: PublicKey, ends: int) -> PublicKey:
    if key.revoked_at is not None or (key.valid_until is not None and key.valid_until <= ends):
        return key
    return msgspec.structs.replace(key, valid_until=ends)


def _start(session: Session, text: str | None) -> int:
    at = time_of(text, "--valid-from")
    return whole_second(session.clock.real_ms() if at is None else at)


def _tell(holder: Holder, path: Path | None, entries: list[PublicKey], *, as_json: bool) -> None:
    if as_json:
        print_json({"owner": holder.name, "ring": None if path is None else str(path), "keys": entries})
        return
    if path is not None:
        print(f"# the private parts are in {path}: keep a copy of it where it cannot burn with it")
    if holder.kind == "signer":
        print("# in the directory file, under signers, keys:")
        print(yaml_signer(holder.name, entries[0], 4))
    elif holder.kind == "exchange":
        print("# in the directory file, at the top level:")
        print(yaml_list("exchange_keys", entries))
    else:
        print(f"# in the directory file, under members, {holder.name}:")
        print(yaml_list("keys", entries, 4))
