"""Listing, admitting, suspending and removing members in the directory file.

Edits change lines and leave all others as they are, byte for byte, because the comments in the file are where
people explain their facts. An edit is written only when it breaks no rule, and it raises the version. What
the file lacks before it may be published stops no edit, because members are admitted before all is there.
"""

import datetime as dt
import json
import os
import re
import tempfile
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec
from ruamel.yaml.comments import CommentedMap

from casework import directory_checks
from casework.codes import MEMBER_STATUSES
from casework.directory import Directory, Environment, Member, MemberKind, MemberStatus
from casework.errors import EditRefusedError, RuleViolation
from operations.directory.errors import DirectoryFileError
from operations.directory.files import NETWORK_FILE, DirectoryFile, parse, read
from operations.directory.rights import rights_of

CHECKLIST: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kind": "it is what the directory says: hotline, law enforcement, authority or secretariat",
        "countries": "it serves these countries, and no other hotline of theirs objects",
        "domain": "its public domain name belongs to it",
        "contact": "the contact was tried and somebody answered, outside office hours too",
        "evidence": "the sources were read and name it",
        "mandates": "its mandates were given to it in writing",
        "liaison": "its police unit agreed to take escalations under this code",
        "keys": "the ids of its keys were compared over a second channel",
        "may_receive_from": "lawyers of the network named the countries whose reports it may be given",
        "agreement": "its agreement with the network is signed",
        "test_exchange": "it sent and received the test reports of the test environment",
    }
)
_ALWAYS: Final = ("kind", "contact", "evidence", "agreement", "test_exchange")
_AS_GIVEN: Final = ("countries", "domain", "mandates", "liaison", "keys")
_FROM: Final[Mapping[MemberStatus, AbstractSet[MemberStatus]]] = MappingProxyType(
    {
        "active": frozenset({"candidate", "suspended"}),
        "suspended": frozenset({"active"}),
        "left": frozenset({"candidate", "active", "suspended"}),
    }
)


class MemberView(msgspec.Struct, frozen=True):
    """A member, where it stands in the file, and what its admission must confirm."""

    member: Member
    line: int
    to_confirm: Mapping[str, str]


class ListedMember(msgspec.Struct, frozen=True):
    """A member, and what it may do or get beyond its kind, in a few words each."""

    member: Member
    rights: tuple[str, ...]


class Edit(msgspec.Struct, frozen=True):
    """What an edit did.

    Attributes:
        member: The member now.
        version: The version now.
        consequences: What follows, in sentences.
        signatures: How many people must sign the version; 0 where nobody signs.
    """

    member: Member
    version: int
    consequences: tuple[str, ...]
    signatures: int = 0


def list_members(  # noqa: PLR0913 - one keyword per filter
    path: Path = NETWORK_FILE,
    *,
    environment: Environment = "test",
    kind: MemberKind | None = None,
    status: MemberStatus | None = None,
    country: str | None = None,
    mandate: str | None = None,
) -> tuple[ListedMember, ...]:
    """Answer the members of a file by id with their rights, narrowed where asked.

    Raises:
        SetupError: The file cannot be opened.
        DirectoryFileError: It breaks rules.
        UnknownCountryError: `country` is none.
    """
    directory = _directory(read(path), environment)
    code = None if country is None else directory.country_code(country)
    return tuple(
        ListedMember(member, rights_of(directory, member))
        for member in directory.members
        if kind in {None, member.kind}
        and status in {None, member.status}
        and (code is None or code in member.countries)
        and (mandate is None or mandate in member.mandates)
    )


def show_member(
    member_id: str, path: Path = NETWORK_FILE, *, environment: Environment = "test"
) -> MemberView:
    """Answer one member with its line and its checklist.

    Raises:
        SetupError: The file cannot be opened.
        DirectoryFileError: It breaks rules.
        UnknownMemberError: It does not list the member.
    """
    file = read(path)
    member = _directory(file, environment).member(member_id)
    return MemberView(member, file.line(f"members.{member_id}"), checklist(member))


def checklist(member: Member) -> Mapping[str, str]:
    """Answer the items that must be confirmed before this member becomes active."""
    asked = [*_ALWAYS, *(field for field in _AS_GIVEN if getattr(member, field))]
    # An empty list is a rule too: from nobody.
    if member.may_receive_from is not None:
        asked.append("may_receive_from")
    return {item: meaning for item, meaning in CHECKLIST.items() if item in asked}


def admit(  # noqa: PLR0913 - one keyword per fact about the admission
    member_id: str,
    path: Path = NETWORK_FILE,
    *,
    environment: Environment = "test",
    on: dt.date,
    confirmed: AbstractSet[str],
    contact: str | None = None,
) -> Edit:
    """Make a candidate or suspended member active; its assumptions are facts from then on.

    Args:
        member_id: The member.
        path: The directory file.
        environment: Where the directory is used; its network keys are bound to it.
        on: First day of the membership.
        confirmed: The items of its checklist, each confirmed by a person.
        contact: How people reach it in an emergency, when the file does not say yet.

    Raises:
        EditRefusedError: Items are missing or unknown, the status forbids it, or the file would break rules.
        SetupError: The file cannot be opened or written.
        UnknownMemberError: The file does not list the member.
    """
    file = read(path)
    member = _directory(file, environment).member(member_id)
    path_of = f"members.{member_id}"
    refused = [
        RuleViolation(f"{path_of}.{item}", "not_confirmed", f"confirm that {meaning}")
        for item, meaning in checklist(member).items()
        if item not in confirmed
    ]
    refused += [
        RuleViolation(f"{path_of}.{item}", "unknown_item", f"the checklist is: {', '.join(CHECKLIST)}")
        for item in sorted(confirmed - CHECKLIST.keys())
    ]
    if contact is None and member.contact is None:
        refused.append(RuleViolation(f"{path_of}.contact", "missing", "must be given before admission"))
    if refused:
        raise EditRefusedError(refused)
    changes: dict[str, object] = {"assumed": None, "reason": None}
    if contact is not None:
        changes["contact"] = contact
    return _set_status(file, environment, member, _Change("active", on, changes))


def suspend(
    member_id: str,
    path: Path = NETWORK_FILE,
    *,
    environment: Environment = "test",
    on: dt.date,
    reason: str,
) -> Edit:
    """Route nothing to an active member until it is admitted again.

    Raises:
        EditRefusedError: It is not active, the reason is empty, or the file would break rules.
        SetupError: The file cannot be opened or written.
        UnknownMemberError: The file does not list the member.
    """
    file = read(path)
    member = _directory(file, environment).member(member_id)
    return _set_status(file, environment, member, _Change("suspended", on, {"reason": reason}))


def leave(
    member_id: str,
    path: Path = NETWORK_FILE,
    *,
    environment: Environment = "test",
    on: dt.date,
    reason: str,
) -> Edit:
    """End a membership for good; the entry stays, so that old cases can still name the member.

    Raises:
        EditRefusedError: It left before, the reason is empty, or the file would break rules.
        SetupError: The file cannot be opened or written.
        UnknownMemberError: The file does not list the member.
    """
    file = read(path)
    member = _directory(file, environment).member(member_id)
    return _set_status(file, environment, member, _Change("left", on, {"reason": reason}))


class _Change(msgspec.Struct, frozen=True):
    status: MemberStatus
    on: dt.date
    fields: Mapping[str, object]


def _directory(file: DirectoryFile, environment: Environment) -> Directory:
    return parse(file, environment=environment, published_at=0, unfinished=True)


def _set_status(file: DirectoryFile, environment: Environment, member: Member, change: _Change) -> Edit:
    status, on = change.status, change.on
    field = f"members.{member.id}"
    if member.status not in _FROM[status]:
        message = f"a member that is {member.status} cannot become {status}"
        raise EditRefusedError(RuleViolation(f"{field}.status", "not_allowed", message))
    if member.since is not None and on < member.since:
        message = f"must not be before the present status began, on {member.since}"
        raise EditRefusedError(RuleViolation(f"{field}.since", "out_of_range", message))
    before = _directory(file, environment)
    lines = file.path.read_text(encoding="utf-8").splitlines(keepends=True)
    version_line = file.line("version") - 1
    lines[version_line] = re.sub(r"\d+", str(before.version + 1), lines[version_line], count=1)
    _edit_member(file, member.id, lines, {**change.fields, "since": on, "status": status})
    after = _write(file.path, "".join(lines), before)
    sentences = [*_about(member, after), *_consequences(before, after)]
    signatures = 0 if after.signers is None else after.signers.threshold
    return Edit(after.member(member.id), after.version, tuple(sentences), signatures)


def _edit_member(
    file: DirectoryFile, member_id: str, lines: list[str], changes: Mapping[str, object]
) -> None:
    """Replace, insert or (for None) delete the lines of fields; new fields follow the name."""
    block = file.data["members"][member_id]
    if not isinstance(block, CommentedMap) or block.fa.flow_style():
        message = "must be written with one field per line to be edited"
        raise EditRefusedError(RuleViolation(f"members.{member_id}", "layout", message))
    starts = {key: block.lc.key(key)[0] for key in block}
    indent = " " * block.lc.key("name")[1]
    rendered = {
        field: [] if value is None else [f"{indent}{field}: {_scalar(value)}\n"]
        for field, value in changes.items()
    }
    new = [field for field in changes if field not in starts]
    edits = [
        (starts[field], _end(lines, starts, field), rendered[field]) for field in changes if field in starts
    ]
    after_name = _end(lines, starts, "name")
    edits.append((after_name, after_name, [line for field in reversed(new) for line in rendered[field]]))
    for start, end, text in sorted(edits, reverse=True):
        lines[start:end] = text


def _end(lines: list[str], starts: Mapping[str, int], field: str) -> int:
    """Answer the line after a field's value: lines that are deeper than its key, or a list at its depth."""
    start = starts[field]
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    for number in range(start + 1, len(lines)):
        text = lines[number].strip()
        depth = len(lines[number]) - len(lines[number].lstrip())
        if not text or text.startswith("#"):
            continue
        if depth < indent or (depth == indent and not text.startswith("- ")):
            break
        end = number + 1
    return end


def _scalar(value: object) -> str:
    plain = isinstance(value, dt.date) or value in MEMBER_STATUSES
    return str(value) if plain else json.dumps(str(value), ensure_ascii=False)


def _write(path: Path, text: str, before: Directory) -> Directory:
    """Replace the file at once, and only by one that breaks no rule which was kept before."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        after = _directory(read(draft), before.environment)
        there = directory_checks.check(before)
        refused = [each for each in directory_checks.check(after) if each not in there]
        if refused:
            raise EditRefusedError(refused)
        draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    except DirectoryFileError as error:
        raise EditRefusedError(error.violations) from error
    finally:
        draft.unlink(missing_ok=True)
    return after


def _about(member: Member, after: Directory) -> list[str]:
    if after.member(member.id).status != "left" or member.status != "candidate":
        return []
    sentence = (
        f"{member.id} was a candidate and never admitted: where no published version lists it as active, its"
        " entry, and its line under countries, may be deleted instead."
    )
    return [sentence]


def _consequences(before: Directory, after: Directory) -> list[str]:
    sentences = []
    for rule in after.countries:
        had = {
            share.member for share in before.country(rule.code).hotlines if before.member(share.member).active
        }
        has = {share.member for share in rule.hotlines if after.member(share.member).active}
        if had and not has:
            sentences.append(f"{rule.name} has no active hotline now: its reports go to the orphan desk.")
        elif had != has:
            sentences.append(f"{rule.name} is served by {' and '.join(sorted(has))} now.")
    sentences += [
        f"The liaison {code} takes no escalations now: they go to INTERPOL or Europol."
        for code in after.liaison_codes()
        if before.liaison(code) is not None and after.liaison(code) is None
    ]
    if _has_desk(before) and not _has_desk(after):
        sentences.append("No active hotline has the mandate for orphans.")
    return sentences


def _has_desk(directory: Directory) -> bool:
    return any("orphans" in member.mandates for member in directory.active_members("hotline"))
