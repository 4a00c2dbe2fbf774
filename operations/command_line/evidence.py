"""`hx evidence`: what a court or a police system gets of a case, and its check without the exchange."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from casework.directory import EXCHANGE
from casework.directory_keys import Signers
from casework.directory_signing import read_anchor
from casework.errors import DirectoryRefusedError, SetupError
from connectors.membership import NAME_IN_KEYS, ring_of
from operations.command_line.exits import Exit, leave
from operations.command_line.naming import naming, no_member
from operations.command_line.output import AsJson, print_json
from operations.command_line.session import Session
from operations.command_line.texts import counted_as, printable
from operations.evidence.building import Maker, build, owner_of
from operations.evidence.checking import check
from operations.evidence.container import MAX_BYTES, unpack
from operations.evidence.errors import NoEvidenceError
from operations.evidence.material import Material
from operations.evidence.parts import OPENED
from operations.evidence.sources import SHORTEST_PREFIX, from_exchange, from_inbox, topics_of
from operations.evidence.verdicts import FAILED, NOT_PROVEN, OK, Check
from operations.key_files import ring_address, ring_path
from operations.logs import directories
from operations.reading import TopicReader
from streams.directory_trust import anchor_of
from streams.key_rings import KeyRing
from streams.principals import OPERATOR

UNNAMED: Final = "unnamed operator"
_MAX_ANCHOR: Final = 1 << 20


class _CaseFirst(TyperGroup):
    """Takes `hx evidence CASE` for `hx evidence write CASE`: a case is what people ask for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the library's own context
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["write", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_CaseFirst, help="Write the evidence of a case into a file (hx evidence CASE), or check such a file."
)


@app.command()
def write(
    context: typer.Context,
    case: Annotated[
        str,
        typer.Argument(
            help="Case id, or the event id of one of its reports; its first 8 characters or more."
        ),
    ],
    keys: Annotated[
        str | None,
        typer.Option(
            help="Your key ring: a path, file:PATH, env:NAME or command:WORDS. Opens contents, signs."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; it must not exist.")] = None,
    source: Annotated[
        str,
        typer.Option(
            "--from", help="exchange: all facts (operators). inbox: what you were sent (members, police)."
        ),
    ] = "exchange",
    member: Annotated[
        str | None, typer.Option("--as", help="Your member id; its messages are added, or are the source.")
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Who makes it, where no key of yours says it.")] = None,
    disclose: Annotated[
        bool,
        typer.Option(
            "--disclose-content-key",
            help="Add the keys of the opened contents: then anybody can check the clear text.",
        ),
    ] = False,
) -> None:
    """Write the evidence of one case: signed statements, contents, keys, facts, and a timeline to read.

    Short for it: hx evidence CASE.

    Example: hx evidence write 0197a6f2-7a3e-8c41-9f1e-5d1c2b3a4f60 --keys file:nl.jwks --out case.zip
    """
    session: Session = context.obj
    if source not in {"exchange", "inbox"}:
        raise typer.BadParameter("expected exchange or inbox", param_hint="--from")
    if source == "inbox" and member is None:
        raise typer.BadParameter("whose inbox? give --as MEMBER", param_hint="--from")
    if len(case) < SHORTEST_PREFIX:
        leave(Exit.USAGE, f"{case} is too short: give the id, or at least {SHORTEST_PREFIX} characters of it")
    kept_here = keys is None and NAME_IN_KEYS in session.settings.keys
    if disclose and keys is None and (not session.settings.keys or (kept_here and member is None)):
        raise typer.BadParameter("only who opens contents knows their keys: give --keys", param_hint="--keys")
    given = None if kept_here else _given_ring(session, keys, member)
    target = out or Path(f"evidence-{case}.zip")
    if target.exists():
        leave(Exit.USAGE, f"{target}: is there already, and is not overwritten")
    try:
        with (
            naming(session, member),
            session.reader(member if source == "inbox" and member else OPERATOR) as reader,
        ):
            material = _material(reader, session, case, source, member)
    except NoEvidenceError:
        where = "here" if source == "exchange" else f"in what {member} was sent"
        leave(Exit.NO, f"no case has the id {case}, nor one that begins so, {where}")
    ring = _ring_here(session, member) if kept_here else given
    made_at = session.clock.real_ms()
    owner = None if ring is None else owner_of(material, ring, made_at)
    maker = Maker(
        name=owner or member or operator or UNNAMED,
        made_at=made_at,
        software_version=version("hotline-exchange"),
        ring=ring,
        signs=owner is not None,
        discloses_content_keys=disclose,
    )
    bundle = build(material, maker)
    _write(target, bundle)
    checks = check(bundle, anchor_of(session.settings), ring)
    _tell(checks, only=(FAILED, NOT_PROVEN), to_stderr=True)
    whose = f"signed by {maker.name}" if maker.signs else "not signed: no key of yours is in the directory"
    print(f"{target}: case {material.case_id or 'without an id'}, {len(bundle)} bytes, {whose}")
    if any(name.startswith(OPENED) for name in unpack(bundle)):
        print("the file holds opened addresses: keep it and send it accordingly")
    if any(one.verdict == FAILED for one in checks):
        leave(Exit.NO, "what the exchange holds of this case does not pass its own check, see above")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The file that hx evidence wrote.")],
    anchor: Annotated[
        Path | None,
        typer.Option(help="Trust anchor: JSON with the signers of directories, from the network itself."),
    ] = None,
    keys: Annotated[
        str | None, typer.Option(help="Your key ring, to open sealed contents yourself; not needed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of evidence; needs no Kafka, no network and no settings.

    Ends with 1 when anything in it is not what it should be. "not proven" names what rests on a word alone.

    Example: hx evidence verify case.zip --anchor anchor.json
    """
    trusted = None if anchor is None else _anchor(anchor)
    ring = None if keys is None else KeyRing.read(ring_address(keys), "keys")
    with file.open("rb") as opened:
        bundle = opened.read(MAX_BYTES + 1)
    checks = check(bundle, trusted, ring)
    counts = {verdict: sum(one.verdict == verdict for one in checks) for verdict in (OK, FAILED, NOT_PROVEN)}
    if as_json:
        for one in checks:
            print_json(one)
        print_json({"ok": counts[OK], "failed": counts[FAILED], "not_proven": counts[NOT_PROVEN]})
    else:
        _tell(checks, only=(OK, FAILED, NOT_PROVEN))
        print(
            f"{counted_as(counts[OK], 'checks')} passed, {counts[FAILED]} failed; "
            f"{counts[NOT_PROVEN]} not proven by the file"
        )
    if counts[FAILED]:
        raise typer.Exit(Exit.NO)


def _material(reader: TopicReader, session: Session, case: str, source: str, member: str | None) -> Material:
    topics, settings = session.topics, session.settings
    anchor = anchor_of(settings)
    believed = directories(reader, topics, settings.environment, session.clock, anchor)
    names: tuple[str, ...] = ()
    if member is not None and believed.newest is not None:
        members = believed.newest.directory.members_by_id
        if member not in members:
            no_member(member, believed.newest.directory)
        names = topics_of(topics, member, members[member].liaison)
    read = from_inbox if source == "inbox" else from_exchange
    return read(reader, topics, case, names, published=[one.document for one in believed])


def _given_ring(session: Session, keys: str | None, member: str | None) -> KeyRing | None:
    address = session.settings.keys if keys is None else ring_address(keys)
    return KeyRing.read(address.replace(NAME_IN_KEYS, member or ""), "keys") if address else None


def _ring_here(session: Session, member: str | None) -> KeyRing | None:
    """Answer the ring kept here of a member, or of the exchange, where there is one.

    The operators' form is signed by the exchange where its ring lies here; that ring opens nothing.
    """
    settings = session.settings
    if member is None and not ring_path(settings, EXCHANGE).exists():
        return None
    return ring_of(settings, member or EXCHANGE)


def _anchor(path: Path) -> Signers:
    try:
        with path.open("rb") as file:
            return read_anchor(file.read(_MAX_ANCHOR))
    except OSError as error:
        raise SetupError(f"--anchor: {path}: {error.strerror}") from error
    except DirectoryRefusedError as error:
        raise SetupError(f"--anchor: {path}: {error}") from error


def _write(path: Path, bundle: bytes) -> None:
    """Write the file for its owner alone: it may hold addresses."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(bundle)
    except OSError as error:
        raise SetupError(f"--out: {path}: {error.strerror}") from error


def _tell(checks: Sequence[Check], only: Sequence[str], *, to_stderr: bool = False) -> None:
    for one in checks:
        if one.verdict in only:
            stream = sys.stderr if to_stderr else sys.stdout
            print(f"{one.verdict:<10} {printable(one.part)}: {printable(one.text)} ({one.rule})", file=stream)
