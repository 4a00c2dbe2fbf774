"""One action from options: an option for each field of an action, made from the draft itself.

So an action that is added, or gets a field, can be sent from the command line at once. Arguments of a process
can be read by everybody on its machine: what is sealed, and addresses, come from a file or standard input.
"""

import datetime as dt
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_type_hints

import msgspec
import typer

from casework.codes import ACTIONS
from casework.errors import BROKEN_JSON
from casework.messages import ActionContent, ActionStatement, Case
from connectors.drafts import ActionDraft
from operations.command_line.exits import Exit, leave
from operations.command_line.session import Session
from operations.files import LISTS, Line, Problem, line_of

FROM_OPTIONS: Final = "options"
"""Stands where the name of a file stands, in what is told of one action."""
NEVER_ARGUMENTS: Final = frozenset({*ActionContent.__struct_fields__, "url", "url_key"})
_LABEL: Final = "SCHEME/VERSION/SECTION/LABEL"
_HELP: Final[Mapping[str, str]] = {
    "action": f"One of {', '.join(ACTIONS.codes)}.",
    "hosting_country": "Country where the content is hosted; that of the case if --case-id names it.",
    "labels": f"Label as {_LABEL}; may be given again.",
    "readers": "Member id of a further reader of the content; may be given again.",
    "parties": "Member id of a party of the case, for whom the content is sealed too; those of the case if"
    " --case-id names it. May be given again.",
}
_ATTRIBUTE: Final = re.compile(r"^ {4}([a-z_]+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_WORDS: Final = {
    "milliseconds since the epoch, UTC": "a time with its zone, as 2026-01-12T08:31:00Z",
    "null for the current one": "absent: the current one",
    "null when": "absent when",
}
"""What messages say, and how the same is told to people who type options."""


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Answer a command that takes an option for each field of an action beside its own parameters.

    The command gets the fields that were given as the mapping `given`.
    """
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "given"]
    names = [name for name in ActionDraft.__struct_fields__ if name not in NEVER_ARGUMENTS]

    def run(**values: Any) -> None:  # noqa: ANN401 - what the options of several types say
        given = {name: values.pop(name) for name in names}
        command(**values, given={name: value for name, value in given.items() if value not in (None, [])})

    parameters = [*own, *(_option(name) for name in names)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def one_line(
    given: Mapping[str, Any], sealed: Path | None, session: Session, *, may_ask: bool
) -> Iterator[Line[ActionDraft] | Problem]:
    """Yield the action that options describe, as the one line of a file.

    Args:
        given: Fields and their values.
        sealed: File with a JSON object of further fields, `-` for standard input; None: there are none.
        session: The session.
        may_ask: Whether what is missing of the place may be read from the case that is named.
    """
    fields = {**({} if sealed is None else _read(sealed)), **given}
    if "labels" in fields:
        fields["labels"] = [_label(text) for text in fields["labels"]]
    if may_ask and "case_id" in fields and not {"url", "url_key"} & fields.keys():
        yield _line_for(_case(fields["case_id"], session), fields)
        return
    yield line_of(FROM_OPTIONS, 1, fields, ActionDraft, strict=False)


def _read(sealed: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if str(sealed) == "-" else sealed.read_bytes()
        fields = msgspec.json.decode(text, type=dict[str, Any])
    except OSError as error:
        raise typer.BadParameter(error.strerror or "cannot be read", param_hint="--sealed") from None
    except BROKEN_JSON:
        raise typer.BadParameter("expected one JSON object", param_hint="--sealed") from None
    strange = sorted(fields.keys() - NEVER_ARGUMENTS)
    if strange:
        known = ", ".join(sorted(NEVER_ARGUMENTS))
        raise typer.BadParameter(f"{len(strange)} fields are none of {known}", param_hint="--sealed")
    return fields


def _line_for(case: Case, fields: dict[str, Any]) -> Line[ActionDraft] | Problem:
    """Answer the action on a case: in its place, and to be read by its parties."""
    place = {"url_key": case.url_key.hex(), "hosting_country": case.hosting_country}
    line = line_of(FROM_OPTIONS, 1, {**place, **fields}, ActionDraft, strict=False)
    if isinstance(line, Problem):
        return line
    others = (*(origin.member for origin in case.origins), *case.former)
    return msgspec.structs.replace(line, draft=line.draft.known_to(case.assigned_hotline, others))


def _case(case_id: str, session: Session) -> Case:
    found = next((case for case in session.cases().values() if case.case_id == case_id), None)
    if found is None:
        leave(
            Exit.NO, f"no case has the id {case_id}: give url or url_key with --sealed, and --hosting-country"
        )
    return found


def _label(text: str) -> dict[str, str]:
    parts = text.split("/")
    names = ("scheme", "scheme_version", "section", "label")
    if len(parts) != len(names):
        raise typer.BadParameter(f"expected {_LABEL}", param_hint="--labels")
    return dict(zip(names, parts, strict=True))


def _option(name: str) -> inspect.Parameter:
    declared, kind = f"--{name.replace('_', '-')}", _HINTS[name]
    types = set(get_args(kind)) | {kind}
    shown_as: Any = str
    if name in LISTS or name == "labels":
        shown_as = list[str]
    elif bool in types:
        shown_as, declared = bool, f"{declared}/--no-{declared.removeprefix('--')}"
    elif int in types and dt.datetime not in types:
        shown_as = int
    option = typer.Option(declared, help=_explained(name), rich_help_panel="One action")
    annotation = Annotated[shown_as | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _explained(name: str) -> str:
    text = _HELP.get(name) or _ATTRIBUTES.get(name, "")
    for said, told in _WORDS.items():
        text = text.replace(said, told)
    return text


_HINTS: Final = get_type_hints(ActionDraft)
_ATTRIBUTES: Final[Mapping[str, str]] = {
    name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(inspect.getdoc(ActionStatement) or "")
}
