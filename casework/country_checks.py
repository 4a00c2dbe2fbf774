"""Whether the rules of countries, and the limits that hold for all of them, may take effect.

What contradicts itself is refused here, because no case would show it: a wait that nobody has to keep, a
consent that nobody can give, a remit that no rule asks for.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from casework import codes
from casework.countries import ALL_COUNTRIES, PSEUDO_COUNTRIES
from casework.directory import CountryRule, Directory, HotlineShare
from casework.errors import RuleViolation

# A share below one in a hundred is no share, and each point of weight costs one hash per report.
MAX_WEIGHT: Final = 100
MAX_MOVES: Final = 32
"""As many countries as the chain of a case holds."""
_LAST_HOUR: Final = 23
_Found = Iterator[tuple[str, str, str]]
_REMITS: Final = (
    ("remit", codes.CONTENT_TOPICS),
    ("site_types", codes.SITE_TYPES),
    ("classifications", codes.CLASSIFICATIONS),
    ("content_types", codes.CONTENT_TYPES),
)


def unique(path: str, values: Iterable[str], what: str = "id") -> Iterator[RuleViolation]:
    """Yield a violation for each value that is listed more than once."""
    for value, times in Counter(values).items():
        if times > 1:
            yield RuleViolation(f"{path}.{value}", "duplicate", f"this {what} is listed {times} times")


def check_limits(directory: Directory) -> Iterator[RuleViolation]:
    """Yield what is wrong with how long the exchange waits."""
    limits = directory.casework
    for field in limits.__struct_fields__:
        value: int = getattr(limits, field)
        if field.endswith("_ms") and value <= 0:
            yield RuleViolation(f"casework.{field.removesuffix('_ms')}", "out_of_range", "must be above zero")
    if not 1 <= limits.max_moves <= MAX_MOVES:
        yield RuleViolation("casework.max_moves", "out_of_range", f"must be 1 to {MAX_MOVES}")
    if not 0 <= limits.digest_hour <= _LAST_HOUR:
        yield RuleViolation("casework.digest_hour", "out_of_range", f"must be an hour, 0 to {_LAST_HOUR}")


def check_countries(directory: Directory) -> Iterator[RuleViolation]:
    """Yield what is wrong with the rules of countries."""
    yield from unique("countries", (rule.code for rule in directory.countries))
    for rule in directory.countries:
        for part in (_country, _notice, _contacts, _shares):
            for field, name, message in part(directory, rule):
                yield RuleViolation(f"countries.{rule.code}{field and '.'}{field}", name, message)


def _country(_: Directory, rule: CountryRule) -> _Found:
    if rule.code not in ALL_COUNTRIES or rule.code in PSEUDO_COUNTRIES:
        yield "", "unknown_country", "must be a canonical code of ISO 3166-1"
    if rule.routing == "claim" and len(rule.hotlines) < 2:  # noqa: PLR2004 - a choice needs two
        yield "routing", "too_few", "the rule claim needs two hotlines or more"
    if rule.routing == "single" and len(rule.hotlines) > 1:
        yield "routing", "ambiguous", "several hotlines need the rule weights, remit or claim"
    for field in rule.deadlines.__struct_fields__:
        value = getattr(rule.deadlines, field)
        if value is not None and value <= 0:
            yield f"deadlines.{field.removesuffix('_ms')}", "out_of_range", "must be above zero"


def _notice(directory: Directory, rule: CountryRule) -> _Found:
    if rule.police_wait_ms < 0:
        yield "police_wait", "out_of_range", "must not be below zero"
    if rule.police_wait_ms and rule.notice_rule != "police_first":
        yield "police_wait", "not_used", "only the notice rule police_first waits"
    limit = rule.deadlines.over(directory.deadlines).inform_provider_ms
    if limit is not None and rule.police_wait_ms >= limit:
        yield "police_wait", "out_of_range", "must be shorter than the deadline inform_provider"
    if rule.hold_limit_ms is not None and rule.hold_limit_ms <= 0:
        yield "hold_limit", "out_of_range", "must be above zero"
    if rule.notice_rule == "police_consent" and not any(
        member.kind == "law_enforcement" and rule.code in member.countries and member.status != "left"
        for member in directory.members
    ):
        yield "notice_rule", "no_liaison", "needs a liaison of this country: nobody else can consent"


def _contacts(directory: Directory, rule: CountryRule) -> _Found:
    """Yield what is wrong with whom an escalation goes to next."""
    second = () if rule.second_liaison is None else (("second_liaison", rule.second_liaison),)
    contacts = (*second, *(("further_liaisons", code) for code in rule.further_liaisons))
    known = directory.liaison_codes()
    for field, code in contacts:
        if code not in known:
            yield field, "unknown_liaison", f"no member has the liaison code {code}"
        if code == rule.code.lower():
            yield field, "duplicate", f"{code} is told first"
    if rule.further_liaisons and rule.second_liaison is None:
        yield "further_liaisons", "not_used", "needs a second_liaison, who comes before them"
    for code, times in Counter(code for _, code in contacts).items():
        if times > 1:
            yield "further_liaisons", "duplicate", f"{code} is listed {times} times"


def _shares(directory: Directory, rule: CountryRule) -> _Found:
    if len({share.member for share in rule.hotlines}) < len(rule.hotlines):
        yield "hotlines", "duplicate", "lists a hotline twice"
    for share in rule.hotlines:
        path = f"hotlines.{share.member}"
        member = directory.members_by_id.get(share.member)
        if member is None:
            yield path, "unknown_member", "is not among the members"
        elif member.kind != "hotline" or rule.code not in member.countries:
            yield path, "wrong_country", "is not a hotline of this country"
        if not 1 <= share.weight <= MAX_WEIGHT:
            yield f"{path}.weight", "out_of_range", f"must be 1 to {MAX_WEIGHT}"
        yield from _remit(path, rule, share)


def _remit(path: str, rule: CountryRule, share: HotlineShare) -> _Found:
    for field, known in _REMITS:
        values: tuple[str, ...] = getattr(share, field)
        if any(value not in known for value in values):
            yield f"{path}.{field}", "unknown_code", f"must be codes of the list {known.name}"
        if values and rule.routing != "remit":
            yield f"{path}.{field}", "not_used", "only the routing rule remit asks for it"
