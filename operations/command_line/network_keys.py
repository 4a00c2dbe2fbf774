"""`hx keys network`: the key of the url keys, sealed to the members and carried by the directory."""

from pathlib import Path
from typing import Annotated

import typer

from casework.directory import Directory, NetworkKeys
from operations.command_line.output import AsJson, print_json
from operations.command_line.session import Session
from operations.directory import files
from operations.directory import network_keys as making
from operations.setting_up import candidates_by_default, directory_file
from streams.key_rings import KeyRing

app = typer.Typer(help="The network key, which only members can open. It is changed when a member leaves.")


@app.command()
def new(context: typer.Context, as_json: AsJson = False) -> None:
    """Make the first network key, sealed to every active member that has a sealing key.

    Example: hx keys network new
    """
    _, directory, path = _read(context.obj, without_keys=True)
    keys = making.new_keys(directory, context.obj.clock.real_ms())
    making.save(path, keys, is_new=True)
    _tell(path, keys, as_json=as_json)


@app.command()
def rotate(context: typer.Context, as_json: AsJson = False) -> None:
    """Add the next network key, sealed to those who are active now; both are carried until 'finish'.

    Example: hx keys network rotate
    """
    _, directory, path = _read(context.obj)
    keys = making.rotated(making.load(path), directory, context.obj.clock.real_ms())
    making.save(path, keys)
    _tell(path, keys, as_json=as_json)


@app.command()
def finish(context: typer.Context, as_json: AsJson = False) -> None:
    """Put the next network key into use and drop the old one, when no open case needs it any more.

    Example: hx keys network finish
    """
    *_, path = _read(context.obj)
    keys = making.finished(making.load(path))
    making.save(path, keys)
    _tell(path, keys, as_json=as_json)


@app.command()
def share(
    context: typer.Context,
    ring: Annotated[
        str, typer.Option("--ring", help="Where a member's ring is: file:PATH, env:NAME or command:WORDS.")
    ],
    as_json: AsJson = False,
) -> None:
    """Seal the network keys also to members that lack them: who was admitted, or has a new sealing key.

    A member does it, because the secretariat cannot open them.

    Example: hx keys network share --ring file:keys/nl-offlimits.jwks
    """
    _, directory, path = _read(context.obj)
    at = context.obj.clock.real_ms()
    keys, added = making.shared(making.load(path), directory, KeyRing.read(ring, "ring"), at)
    making.save(path, keys)
    _tell(path, keys, as_json=as_json, added=added)


def _read(session: Session, *, without_keys: bool = False) -> tuple[files.DirectoryFile, Directory, Path]:
    settings = session.settings
    file = files.read(directory_file(settings))
    path = making.network_keys_file(file)
    if without_keys:
        # The file may name what is only about to be made.
        file.data.pop("network_keys", None)
    directory = files.parse(
        file,
        environment=settings.environment,
        published_at=session.clock.now_ms(),
        candidates=candidates_by_default(settings),
    )
    return file, directory, path


def _tell(path: Path, keys: NetworkKeys, *, as_json: bool, added: int | None = None) -> None:
    if as_json:
        print_json({"file": str(path), "current": keys.current, "next": keys.next, "added": added})
        return
    coming = "" if keys.next is None else f", version {keys.next} comes"
    print(f"# {path}: version {keys.current} of the network key is in use{coming}")
    if added is not None:
        print(f"# sealed to {added} more keys")
    print("# in the directory file, at the top level; then raise its version, sign and publish:")
    print(f"network_keys: {path.name}")
