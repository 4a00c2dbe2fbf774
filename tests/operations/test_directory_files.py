from pathlib import Path

import msgspec
import pytest

from casework import directory_checks
from casework.directory import DAY_MS, HOUR_MS, CaseworkLimits, Directory, HotlineShare, from_bytes
from casework.errors import SetupError
from operations.directory.document import build, document_bytes
from operations.directory.errors import DirectoryFileError
from operations.directory.files import NETWORK_FILE, check, parse, read

pytestmark = pytest.mark.slow

SHIPPED = NETWORK_FILE.read_text(encoding="utf-8")

# Countries of the registry (domain 3) and those that host without a hotline (domain 3 and 4.4).
REGISTRY = [
    "AL",
    "AR",
    "AT",
    "AU",
    "BA",
    "BE",
    "BG",
    "BR",
    "CA",
    "CO",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GB",
    "GR",
    "HR",
    "HU",
    "IE",
    "IS",
    "IT",
    "JP",
    "KH",
    "KR",
    "KZ",
    "LT",
    "LU",
    "LV",
    "MD",
    "MT",
    "MX",
    "NG",
    "NL",
    "NZ",
    "PE",
    "PH",
    "PL",
    "PT",
    "RO",
    "RS",
    "RU",
    "SE",
    "SI",
    "SK",
    "TH",
    "TR",
    "TW",
    "UA",
    "US",
    "ZA",
]
WITHOUT_HOTLINE = ["AE", "AZ", "CH", "HK", "ID", "IN", "IQ", "IR", "LA", "MY", "PA", "SG", "VN"]


@pytest.fixture(scope="module")
def shipped() -> Directory:
    """Answer the shipped directory as the demo uses it."""
    return build(environment="demo", published_at=0, candidates="admit")


def write(folder: Path, text: str) -> Path:
    """Write a directory file and answer its path."""
    path = folder / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def told(path: Path) -> list[tuple[int, str, str]]:
    """Answer line, field and rule of every problem."""
    return [(p.line, p.violation.field, p.violation.rule) for p in check(path)]


def line_of(text: str, line: str, after: str = "") -> int:
    """Answer the number of the first line that begins with `line`, after the one that begins with `after`."""
    lines = text.splitlines()
    start = next(number for number, each in enumerate(lines) if each.startswith(after))
    return next(number for number, each in enumerate(lines) if number >= start and each.startswith(line)) + 1


def test_the_shipped_directory_has_no_problem_outside_production() -> None:
    """Demo and test can publish what is shipped, with and without candidates."""
    assert check(environment="demo", candidates="admit") == ()
    assert check(environment="test") == ()


def test_every_country_of_the_registry_is_shipped(shipped: Directory) -> None:
    """Each registered country has its hotlines, each host without one an entry, and both their police."""
    for code in REGISTRY:
        assert shipped.country(code).hotlines, code
        assert shipped.liaison(code.lower()) is not None, code
        assert code in shipped.slots, code
    for code in WITHOUT_HOTLINE:
        assert shipped.country(code).hotlines == (), code
        assert shipped.liaison(code.lower()) is not None, code
        assert code in shipped.slots, code
    assert {rule.code for rule in shipped.countries} == {*REGISTRY, *WITHOUT_HOTLINE}
    assert [len(shipped.country(code).hotlines) for code in ("DE", "IT", "NL")] == [3, 2, 1]


def test_mandates_liaisons_authority_and_secretariat_are_shipped(shipped: Directory) -> None:
    """Five hotlines may claim orphans; INTERPOL, Europol, the Dutch authority and a secretariat exist."""
    assert sum("orphans" in member.mandates for member in shipped.members) == 5
    assert {shipped.member(name).kind for name in ("interpol", "europol")} == {"law_enforcement"}
    assert [member.id for member in shipped.active_members("authority")] == ["nl-atkm"]
    assert [member.id for member in shipped.active_members("secretariat")] == ["inhope"]


def test_the_shipped_file_admits_nobody_and_marks_what_is_uncertain() -> None:
    """All are candidates, and each fact of general knowledge or our own is named as assumed."""
    directory = build(environment="test", published_at=0)
    assert {member.status for member in directory.members} == {"candidate"}
    for member in directory.members:
        if {"K", "H", "A"} & set(member.evidence):
            assert member.assumed, member.id


def test_the_switch_admits_no_historical_candidate(shipped: Directory) -> None:
    """A hotline whose present status was not found gets nothing, not even in the demo."""
    historical = {member.id for member in shipped.members if "H" in member.evidence}
    assert historical == {"ca-cybertip", "jp-safer-internet", "kz-hotline", "pe-hotline", "ru-hotline"}
    assert {member.id for member in shipped.members if not member.active} == historical


def test_production_refuses_assumptions_and_the_switch() -> None:
    """Each assumed entry is told with its line; candidates cannot be admitted by a switch."""
    problems = check(environment="production")
    rules = {problem.violation.rule for problem in problems}
    assert rules == {"assumed", "unprotected", "missing"}
    assert line_of(SHIPPED, "    assumed", after="  nl-offlimits:") in {problem.line for problem in problems}
    with pytest.raises(DirectoryFileError, match="production takes no candidates"):
        build(environment="production", published_at=0, candidates="admit")


def test_left_out_candidates_leave_no_trace() -> None:
    """What is published without candidates names none of them; here that leaves nobody, which is refused."""
    rules = {problem.violation.rule for problem in check(environment="test", candidates="leave_out")}
    assert rules == {"unknown_liaison", "no_orphan_mandate", "missing"}


def test_the_document_is_a_function_of_the_file_and_the_moment(shipped: Directory) -> None:
    """Building twice gives the same bytes, which read back as the same directory."""
    again = build(environment="demo", published_at=0, candidates="admit")
    assert document_bytes(again) == document_bytes(shipped)
    assert from_bytes(document_bytes(shipped)) == shipped
    assert (shipped.deadlines.inform_police_ms, shipped.deadlines.confirm_removal_ms) == (
        24 * HOUR_MS,
        7 * DAY_MS,
    )


def test_a_version_that_takes_slots_back_is_refused_with_its_line(tmp_path: Path, shipped: Directory) -> None:
    """The successor rules are told with file and line too."""
    bigger = msgspec.structs.replace(shipped, version=0, slots={**shipped.slots, "NL": (0, 1, 2, 3, 99)})
    path = write(tmp_path, SHIPPED)
    with pytest.raises(DirectoryFileError) as refused:
        build(
            path,
            environment="demo",
            published_at=0,
            valid_from=directory_checks.LEAD_MS,
            candidates="admit",
            previous=bigger,
        )
    assert [str(p).startswith(f"{path}:{line_of(SHIPPED, '    NL:')}:") for p in refused.value.problems] == [
        True
    ]


def test_every_error_of_form_is_told_at_once(tmp_path: Path) -> None:
    """Several slips in one file are all explained, each by line, field and rule."""
    text = (
        SHIPPED.replace("  acknowledge: 24 h", "  acknowledge: tomorrow")
        .replace("    kind: authority", "    kind: autority")
        .replace("    domain: atkm.nl", "    domian: atkm.nl")
        .replace("    hotlines: {nl-offlimits: 1}", "    hotlines: [nl-offlimits]")
        .replace("    name: Europol\n", "")
    )
    atkm = "  nl-atkm:"
    assert told(write(tmp_path, text)) == [
        (line_of(text, "  acknowledge"), "deadlines.acknowledge", "malformed"),
        (line_of(text, "  europol:"), "members.europol.name", "missing"),
        (line_of(text, "    kind", after=atkm), "members.nl-atkm.kind", "wrong_type"),
        (line_of(text, "    domian", after=atkm), "members.nl-atkm.domian", "unknown_field"),
        (line_of(text, "    hotlines: [nl"), "countries.NL.hotlines", "wrong_type"),
    ]


def test_a_rule_about_transfers_is_read_from_the_file(tmp_path: Path) -> None:
    """The codes are those of the file, `NO` stays a country, and an empty list bars everybody."""
    text = SHIPPED.replace(
        "    domain: atkm.nl", "    domain: atkm.nl\n    may_receive_from: [NO, GB]"
    ).replace("    name: Europol\n", "    name: Europol\n    may_receive_from: []\n")
    file = read(write(tmp_path, text))
    directory = parse(file, environment="test", published_at=0)
    assert directory.member("nl-atkm").may_receive_from == ("NO", "GB")
    assert directory.member("europol").may_receive_from == ()
    assert directory.member("nl-offlimits").may_receive_from is None
    wrong = text.replace("[NO, GB]", "[NO, XX]")
    assert told(write(tmp_path, wrong)) == [
        (line_of(wrong, "    may_receive_from: [NO"), "members.nl-atkm.may_receive_from", "unknown_country")
    ]


def test_the_limits_of_casework_are_read_with_their_units(tmp_path: Path) -> None:
    """Limits are durations, counts are counts, absent ones are the defaults."""
    text = (
        SHIPPED.replace("  lease: 24 h", "  lease: 30 min")
        .replace("  hold: 42 d", "  hold: 14 d")
        .replace("  max_moves: 5", "  max_moves: 3")
        .replace(
            "    hotlines: {nl-offlimits: 1}",
            "    hotlines: {nl-offlimits: {site_types: [forum], content_types: [media]}}\n"
            "    routing: remit\n    notice_rule: police_first\n    police_wait: 4 h\n    hold_limit: 7 d",
        )
    )
    directory = parse(read(write(tmp_path, text)), environment="test", published_at=0)
    assert directory.casework == CaseworkLimits(lease_ms=HOUR_MS // 2, hold_ms=14 * DAY_MS, max_moves=3)
    rule = directory.country("NL")
    assert (rule.notice_rule, rule.police_wait_ms, rule.hold_limit_ms) == (
        "police_first",
        4 * HOUR_MS,
        7 * DAY_MS,
    )
    assert rule.hotlines == (HotlineShare("nl-offlimits", site_types=("forum",), content_types=("media",)),)
    begin, end = SHIPPED.index("casework:\n"), SHIPPED.index("# Codes that systems")
    without = parse(
        read(write(tmp_path, SHIPPED[:begin] + SHIPPED[end:])), environment="test", published_at=0
    )
    assert without.casework == CaseworkLimits()


def test_limits_that_cannot_be_are_told_with_their_lines(tmp_path: Path) -> None:
    """A duration without unit, an hour that no day has and an unknown limit stand where they were written."""
    wrong = SHIPPED.replace("  lease: 24 h", "  lease: 24").replace("  confirm: 7 d", "  confrim: 7 d")
    assert told(write(tmp_path, wrong)) == [
        (line_of(wrong, "  lease"), "casework.lease", "malformed"),
        (line_of(wrong, "  confrim"), "casework.confrim", "unknown_field"),
    ]
    late = SHIPPED.replace("  digest_hour: 6", "  digest_hour: 24").replace("  erase: 90 d", "  erase: 0 d")
    assert told(write(tmp_path, late)) == [
        (line_of(late, "  erase"), "casework.erase", "out_of_range"),
        (line_of(late, "  digest_hour"), "casework.digest_hour", "out_of_range"),
    ]


def test_every_broken_rule_is_told_at_once(tmp_path: Path) -> None:
    """Several broken rules in a well-formed file are all explained with their lines."""
    text = SHIPPED.replace("  UK: GB", "  UK: QX").replace(
        "    domain: atkm.nl", "    domain: https://atkm.nl"
    )
    assert told(write(tmp_path, text)) == [
        (line_of(text, "aliases:"), "aliases", "missing"),
        (line_of(text, "  UK:"), "aliases.UK", "unknown_country"),
        (line_of(text, "    domain", after="  nl-atkm:"), "members.nl-atkm.domain", "malformed"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("- a list", 1),
        ("version: 1\nversion: 2\n", 2),
        ("version: [1\nmembers: {", 3),
        ("a: b\n\tc: d\n", 2),
    ],
    ids=["empty", "list", "key twice", "unclosed", "tab"],
)
def test_what_is_no_mapping_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    """Broken YAML is a problem like any other."""
    ((found, field, rule),) = told(write(tmp_path, text))
    assert (field, rule) == ("file", "malformed")
    assert abs(found - line) <= 1


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    """A file without members is told so instead of failing on the way."""
    rules = told(write(tmp_path, "version: 1\n"))
    assert (1, "members", "missing") in rules
    assert (1, "slots", "missing") in rules


def test_a_file_that_cannot_be_opened_is_a_matter_for_the_operator(tmp_path: Path) -> None:
    """A wrong path is told as such."""
    with pytest.raises(SetupError, match=r"absent\.yaml"):
        check(tmp_path / "absent.yaml")
