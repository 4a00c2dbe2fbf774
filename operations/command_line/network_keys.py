"""`hx keys network`: the key of the url keys, sealed to the members and carried by the directory."""

from pathlib import Path
from typing import Annotated, Final

import typer

from casework.directory import Directory
from casework.directory_keys import NetworkKeys
from operations.command_line.directory_options import CandidatesOption, chosen_candidates
from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson, print_json
from operations.command_line.session import Session
from operations.directory import files
from operations.directory import network_keys as making
from operations.key_files import ring_address
from operations.setting_up import directory_file
from streams.key_rings import KeyRing

app = typer.Typer(help="The network key, which only members can open. It is changed when a member leaves.")

SAFE_DAYS: Final = 90
"""After so long the cases that were open when a change began are closed (docs/key-ceremony.md)."""


@app.command()
def new(context: typer.Context, candidates: CandidatesOption = None, as_json: AsJson = False) -> None:
    """Make the first network key, sealed to every active member that has a sealing key.

    Example: hx keys network new
    """
    file, directory, path = _read(context.obj, candidates, is_new=True)
    keys = making.new_keys(directory, context.obj.clock.real_ms())
    making.save(path, keys, is_new=True)
    _tell(file, path, keys, as_json=as_json)


@app.command()
def rotate(context: typer.Context, candidates: CandidatesOption = None, as_json: AsJson = False) -> None:
    """Add the next network key, sealed to those who are active now; both are carried until 'finish'.

    Example: hx keys network rotate
    """
    file, directory, path = _read(context.obj, candidates)
    keys = making.rotated(making.load(path), directory, context.obj.clock.real_ms())
    making.save(path, keys)
    _tell(file, path, keys, as_json=as_json)


@app.command()
def finish(
    context: typer.Context,
    yes: Annotated[
        bool, typer.Option("--yes", help="No case is open that was opened before the change was published.")
    ] = False,
    candidates: CandidatesOption = None,
    as_json: AsJson = False,
) -> None:
    """Put the next network key into use and drop the old one, when no open case needs it any more.

    When the change began is not stored, so a person says with --yes that it was long enough ago.

    Example: hx keys network finish --yes
    """
    file, _, path = _read(context.obj, candidates)
    keys = making.finished(making.load(path))
    if not yes:
        leave(
            Exit.NO,
            "nothing is changed: an address of a case that is open since before the change gets a second case"
            f" from then on. Say --yes when the change was published {SAFE_DAYS} days ago or more",
        )
    making.save(path, keys)
    _tell(file, path, keys, as_json=as_json)


@app.command()
def share(
    context: typer.Context,
    ring: Annotated[
        str,
        typer.Option("--ring", help="A member's ring: a path, file:PATH, env:NAME or command:WORDS."),
    ],
    candidates: CandidatesOption = None,
    as_json: AsJson = False,
) -> None:
    """Seal the network keys also to members that lack them: who was admitted, or has a new sealing key.

    A member does it, because the secretariat cannot open them.

    Example: hx keys network share --ring file:keys/nl-offlimits.jwks
    """
    file, directory, path = _read(context.obj, candidates)
    at = context.obj.clock.real_ms()
    keys, added = making.shared(making.load(path), directory, KeyRing.read(ring_address(ring), "ring"), at)
    making.save(path, keys)
    _tell(file, path, keys, as_json=as_json, added=added)


def _read(
    session: Session, asked: str | None, *, is_new: bool = False
) -> tuple[files.DirectoryFile, Directory, Path]:
    settings = session.file_settings
    file = files.read(directory_file(settings))
    path = making.network_keys_file(file)
    if is_new:
        # The file may name what is only about to be made.
        file.data.pop("network_keys", None)
    # A candidate of production takes no part, and what nobody confirmed about it is no reason to wait.
    is_left_out = asked is None and settings.environment == "production"
    directory = files.parse(
        file,
        environment=settings.environment,
        published_at=session.clock.now_ms(),
        candidates="leave_out" if is_left_out else chosen_candidates(session, asked),
        lacking=frozenset({("network_keys", "missing")}) if is_new else frozenset(),
    )
    return file, directory, path


def _tell(
    file: files.DirectoryFile, path: Path, keys: NetworkKeys, *, as_json: bool, added: int | None = None
) -> None:
    if as_json:
        print_json({"file": str(path), "current": keys.current, "next": keys.next, "added": added})
        return
    coming = "" if keys.next is None else f", version {keys.next} comes"
    print(f"# {path}: version {keys.current} of the network key is in use{coming}")
    if added is not None:
        print(f"# sealed to {added} more keys")
    print("# in the directory file, at the top level:")
    print(f"network_keys: {path.name}")
    version = file.data["version"]
    print(
        f"# that file is version {version}: if a version {version} is published or signed already, raise it"
        f" to {version + 1}; else leave it. Then draft, sign and publish"
    )
