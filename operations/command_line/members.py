"""`hx members`: who is in the directory file, and how one is admitted, suspended or leaves."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

import msgspec
import typer

from casework.codes import MANDATES
from operations.command_line.output import AsJson, print_json, print_table
from operations.command_line.session import Session
from operations.directory import editing
from operations.setting_up import directory_file

app = typer.Typer(help="Members in the directory file. An edit raises the version; publish it afterwards.")

Member = Annotated[str, typer.Argument(help="Member id, for example nl-offlimits.")]
On = Annotated[str | None, typer.Option("--on", help="First day, YYYY-MM-DD; default today (UTC).")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a sentence; stands in the file.")]
KINDS = {kind: kind for kind in ("hotline", "law_enforcement", "authority", "secretariat")}
STATUSES = {status: status for status in ("candidate", "active", "suspended", "left")}


def _day(text: str | None) -> dt.date:
    if text is None:
        return dt.datetime.now(tz=dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("expected a day as YYYY-MM-DD", param_hint="--on") from error


def _one_of(known: Mapping[str, str], asked: str | None, option: str) -> str | None:
    if asked is not None and asked not in known:
        raise typer.BadParameter(f"expected one of {', '.join(known)}", param_hint=option)
    return asked


@app.command("list")
def list_members(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Option(help="hotline, law_enforcement, authority or secretariat.")
    ] = None,
    status: Annotated[str | None, typer.Option(help="candidate, active, suspended or left.")] = None,
    country: Annotated[str | None, typer.Option(help="Country code.")] = None,
    mandate: Annotated[str | None, typer.Option(help="Only who has this mandate: orphans.")] = None,
    as_json: AsJson = False,
) -> None:
    """List members by id, with what each may do or get beyond its kind.

    That is: claim orphans, or what a country offers; which reports it takes; feeds and escalations it gets.

    Example: hx members list --kind hotline --country DE

    Example: hx members list --mandate orphans
    """
    session: Session = context.obj
    found = editing.list_members(
        directory_file(session.file_settings),
        environment=session.file_settings.environment,
        kind=_one_of(KINDS, kind, "--kind"),  # type: ignore[arg-type]
        status=_one_of(STATUSES, status, "--status"),  # type: ignore[arg-type]
        country=country,
        mandate=_one_of(MANDATES.codes, mandate, "--mandate"),
    )
    if as_json:
        for one in found:
            print_json({**msgspec.to_builtins(one.member), "rights": one.rights})
        return
    print_table(
        f"{len(found)} members",
        ("id", "kind", "status", "countries", "name", "rights", "evidence", "assumed"),
        (
            (
                m.id,
                m.kind,
                m.status,
                " ".join(m.countries),
                m.name,
                "; ".join(one.rights),
                " ".join(m.evidence),
                ", ".join(m.assumed),
            )
            for one in found
            for m in (one.member,)
        ),
    )


@app.command()
def show(context: typer.Context, member: Member, as_json: AsJson = False) -> None:
    """Show one member and what its admission must confirm.

    Example: hx members show nl-offlimits
    """
    session: Session = context.obj
    path = directory_file(session.file_settings)
    view = editing.show_member(member, path, environment=session.file_settings.environment)
    if as_json:
        print_json(view)
        return
    print(f"{path}:{view.line}")
    for name in view.member.__struct_fields__:
        value = getattr(view.member, name)
        if name == "keys":
            for key in value:
                print(f"  key        {key.id} to {key.use}")
        elif value:
            print(f"  {name:<10} {', '.join(value) if isinstance(value, tuple) else value}")
    if view.member.may_receive_from == ():
        print("  may_receive_from nobody but itself")
    print("to confirm for an admission:")
    for item, meaning in view.to_confirm.items():
        print(f"  {item:<14} {meaning}")


@app.command()
def admit(
    context: typer.Context,
    member: Member,
    confirm: Annotated[
        list[str], typer.Option("--confirm", help="An item of the checklist; repeat the option.")
    ],
    contact: Annotated[str | None, typer.Option(help="Emergency contact, where the file has none.")] = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Make a candidate active, after each item of its checklist was confirmed by a person.

    Example: hx members admit nl-offlimits --confirm kind --confirm contact --contact "duty desk, tried twice"
    """
    session: Session = context.obj
    edit = editing.admit(
        member,
        directory_file(session.file_settings),
        environment=session.file_settings.environment,
        on=_day(on),
        confirmed=set(confirm),
        contact=contact,
    )
    _tell(edit, as_json=as_json)


@app.command()
def suspend(
    context: typer.Context, member: Member, reason: Reason, on: On = None, as_json: AsJson = False
) -> None:
    """Suspend a member: nothing more is routed to it, its open cases are handed on by rule.

    Example: hx members suspend nl-offlimits --reason "key compromised"
    """
    session: Session = context.obj
    edit = editing.suspend(
        member,
        directory_file(session.file_settings),
        environment=session.file_settings.environment,
        on=_day(on),
        reason=reason,
    )
    _tell(edit, as_json=as_json)


@app.command()
def leave(
    context: typer.Context, member: Member, reason: Reason, on: On = None, as_json: AsJson = False
) -> None:
    """Record that a member leaves; its open cases are handed on by rule.

    Example: hx members leave nl-offlimits --reason "membership ended"
    """
    session: Session = context.obj
    edit = editing.leave(
        member,
        directory_file(session.file_settings),
        environment=session.file_settings.environment,
        on=_day(on),
        reason=reason,
    )
    _tell(edit, as_json=as_json)


def _tell(edit: editing.Edit, *, as_json: bool) -> None:
    if as_json:
        print_json(edit)
        return
    print(f"{edit.member.id} is {edit.member.status}; the file is now version {edit.version}")
    for consequence in edit.consequences:
        print(f"- {consequence}")
    print(f"publish it: hx provision --apply, then {_publishing(edit)}")


def _publishing(edit: editing.Edit) -> str:
    if not edit.signatures:
        return "hx directory publish"
    file = f"version-{edit.version}.json"
    return (
        f"hx directory draft {file}, hx directory sign {file} by {edit.signatures} of the signers,"
        f" hx directory publish {file}; each with the --candidates of the version before"
    )
