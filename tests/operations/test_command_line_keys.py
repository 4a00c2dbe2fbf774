"""`hx keys` and `hx directory draft, sign, anchor, diff`: what people do for a signed directory, offline."""

import json
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from casework.directory_signing import check_signatures
from operations.directory import files, signed_files
from operations.directory.files import NETWORK_FILE
from streams.directory_trust import load_anchor
from streams.key_rings import KeyRing

pytestmark = pytest.mark.slow

Hx = Callable[..., tuple[int, str, str]]
MEMBER = "ie-hotline"


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory file of this test, and a data directory beside it."""
    path = tmp_path / "network.yaml"
    shutil.copy(NETWORK_FILE, path)
    monkeypatch.setenv("HX_DIRECTORY", str(path))
    monkeypatch.setenv("HX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HX_ENVIRONMENT", "test")
    return path


def put(path: Path, printed: str, member: str = MEMBER) -> None:
    """Put printed lines where their comment says."""
    text = path.read_text()
    lines = "\n".join(line for line in printed.splitlines() if not line.startswith("#")) + "\n"
    if lines.startswith(" "):
        text = re.sub(r"(?m)^    keys:\n(      .*\n)+", "", text)
        text = text.replace(f"  {member}:\n", f"  {member}:\n{lines}", 1)
    else:
        name = lines.partition(":")[0]
        text = re.sub(rf"(?m)^{name}:.*\n((  .*|- .*)\n)*", "", text) + "\n" + lines
    path.write_text(text)


def directory_of(path: Path) -> files.Directory:
    """Answer the directory of a file."""
    return files.parse(files.read(path), environment="test", published_at=5, candidates="admit")


def with_signers(hx: Hx, path: Path, threshold: int, *names: str) -> None:
    """Make rings of signers and put them into the file."""
    blocks = [hx("keys", "new", "--signer", name)[1] for name in names]
    lines = [line for block in blocks for line in block.splitlines() if not line.startswith("#")]
    with path.open("a") as file:
        file.write(f"signers:\n  threshold: {threshold}\n  keys:\n" + "\n".join(lines) + "\n")


def test_new_keys_are_lines_that_the_directory_file_takes(hx: Hx, network: Path, tmp_path: Path) -> None:
    """The printed lines are read back as the public parts of the ring; nothing private is printed."""
    code, out, _ = hx("keys", "new", MEMBER, "--valid-from", "2026-11-28T12:00:00Z")
    assert code == 0
    ring_file = tmp_path / "data" / "keys" / f"{MEMBER}.jwks"
    assert stat.S_IMODE(ring_file.stat().st_mode) == 0o600
    put(network, out)
    ring = KeyRing.read(f"file:{ring_file}", "keys")
    assert directory_of(network).member(MEMBER).keys == tuple(
        pair.entry(1_795_867_200_000) for pair in ring.keys
    )
    assert [key["d"] for key in json.loads(ring_file.read_text())["keys"] if key["d"] in out] == []


@pytest.mark.usefixtures("network")
def test_a_ring_is_never_overwritten_and_a_name_must_be_one(hx: Hx) -> None:
    """The second 'new' changes nothing; a mistyped member gets no ring; nobody or two is no name."""
    hx("keys", "new", MEMBER)
    assert hx("keys", "new", MEMBER)[0] == 78
    code, _, err = hx("keys", "new", "ie-hotlin")
    assert (code, "did you mean ie-hotline" in err) == (2, True)
    assert hx("keys", "new")[0] == 2
    assert hx("keys", "new", MEMBER, "--exchange")[0] == 2


def test_rotated_keys_come_beside_the_old_ones_which_end(hx: Hx, network: Path) -> None:
    """The old key to sign ends after the grace, that to seal is untouched; the ring holds all three."""
    put(network, hx("keys", "new", MEMBER, "--valid-from", "2026-11-28T12:00:00Z")[1])
    before = directory_of(network).member(MEMBER).keys
    at = ("--valid-from", "2026-12-01T00:00:00Z", "--grace-days", "7")
    put(network, hx("keys", "rotate", MEMBER, "--use", "sign", *at)[1])
    new, *old = directory_of(network).member(MEMBER).keys
    assert (new.use, new.valid_from, new.valid_until) == ("sign", 1_796_083_200_000, None)
    assert [(key.id, key.valid_until) for key in old] == [
        (before[0].id, 1_796_083_200_000 + 7 * 86_400_000), (before[1].id, None),
    ]  # fmt: skip
    code, out, _ = hx("keys", "show", MEMBER, "--json")
    assert code == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == [*(key.id for key in before), new.id]


def test_a_revoked_key_is_named_by_its_id(hx: Hx, network: Path) -> None:
    """Only the named key gets the mark; an id of nobody is refused; no keys, nothing to revoke."""
    assert hx("keys", "revoke", MEMBER)[0] == 1
    put(network, hx("keys", "new", MEMBER)[1])
    key = directory_of(network).member(MEMBER).keys[0]
    assert hx("keys", "revoke", MEMBER, "--key", "x" * 43)[0] == 2
    put(network, hx("keys", "revoke", MEMBER, "--key", key.id, "--at", "2026-12-01T00:00:00Z")[1])
    revoked = [one.revoked_at for one in directory_of(network).member(MEMBER).keys]
    assert revoked == [1_796_083_200_000, None]


def test_the_exchange_has_keys_of_its_own(hx: Hx, network: Path) -> None:
    """Its lines stand at the top level, and it only signs."""
    put(network, hx("keys", "new", "--exchange")[1])
    assert [key.use for key in directory_of(network).exchange_keys] == ["sign"]


def test_two_of_three_people_sign_a_version_one_after_the_other(
    hx: Hx, network: Path, tmp_path: Path
) -> None:
    """The document travels from one to the next; with the second signature it is what the anchor demands."""
    with_signers(hx, network, 2, "anna", "bert", "carla")
    document = tmp_path / "version-1.json"
    code, out, _ = hx("directory", "draft", str(document), "--valid-in", "0")
    assert (code, "signed by 0 of the 2" in out) == (0, True)
    assert hx("directory", "draft", str(document))[0] == 78
    assert "signed by 1 of the 2" in hx("directory", "sign", str(document), "--signer", "anna")[1]
    assert "signed by 1 of the 2" in hx("directory", "sign", str(document), "--signer", "anna")[1]
    code, out, _ = hx("directory", "sign", str(document), "--signer", "carla", "--json")
    assert json.loads(out)["signed_by"] == ["anna", "carla"]
    anchor = tmp_path / "trust.json"
    anchor.write_text(hx("directory", "anchor", str(document))[1])
    envelope, directory = signed_files.load(document)
    assert check_signatures(envelope, directory, load_anchor(anchor)) == ()


def test_a_foreign_ring_signs_for_nobody(hx: Hx, network: Path, tmp_path: Path) -> None:
    """A ring without the key that the document names for the signer is refused; the file stays."""
    with_signers(hx, network, 1, "anna")
    document = tmp_path / "version-1.json"
    hx("directory", "draft", str(document))
    before = document.read_bytes()
    hx("keys", "new", "--exchange")
    ring = f"file:{tmp_path / 'data' / 'keys' / 'exchange.jwks'}"
    code, _, err = hx("directory", "sign", str(document), "--signer", "anna", "--ring", ring)
    assert (code, "not in the ring" in err) == (2, True)
    assert document.read_bytes() == before


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-10], lambda text: text.replace("directory.v1", "report-statement.v1"),
        lambda text: text.replace('"payload": "', '"payload": "!'), lambda _: "[" * 100_000,
        lambda text: text.replace('"payloadType"', '"other": 1, "payloadType"'),
    ],
)  # fmt: skip
def test_a_spoiled_document_is_refused(hx: Hx, tmp_path: Path, spoil: Callable[[str], str]) -> None:
    """Half a file, another type, and whatever else is no envelope of a directory ends with code 78."""
    document = tmp_path / "version-1.json"
    hx("directory", "draft", str(document))
    document.write_text(spoil(document.read_text()))
    assert hx("directory", "anchor", str(document))[0] == 78


def test_a_signer_reads_what_changes_before_signing(hx: Hx, network: Path, tmp_path: Path) -> None:
    """Two documents are compared offline, in sentences; what may not follow is said and is code 1."""
    first, second = tmp_path / "version-1.json", tmp_path / "version-2.json"
    hx("directory", "draft", str(first), "--valid-in", "0")
    put(network, hx("keys", "new", MEMBER)[1])
    hx("directory", "draft", str(second), "--valid-in", "48")
    code, out, _ = hx("directory", "diff", str(second), "--against", str(first))
    assert (code, "not allowed: version: must be above 1" in out) == (1, True)
    network.write_text(re.sub(r"(?m)^version: 1$", "version: 2", network.read_text()))
    second.unlink()
    hx("directory", "draft", str(second), "--valid-in", "48")
    code, out, _ = hx("directory", "diff", str(second), "--against", str(first))
    assert code == 0
    assert f"{MEMBER} gets key " in out


def test_a_network_key_lies_beside_the_directory_file(hx: Hx, network: Path, tmp_path: Path) -> None:
    """Made, changed and finished, it is carried by the directory; nothing of it can be read in the file."""
    assert hx("keys", "network", "new")[0] == 1
    put(network, hx("keys", "new", MEMBER)[1])
    code, out, _ = hx("keys", "network", "new")
    assert code == 0
    put(network, out)
    assert hx("keys", "network", "new")[0] == 78
    assert "version 2 comes" in str(hx("keys", "network", "rotate"))
    keys = directory_of(network).network_keys
    assert keys is not None
    assert (keys.current, keys.next) == (1, 2)
    assert hx("keys", "network", "rotate")[0] == 1
    ring = f"file:{tmp_path / 'data' / 'keys' / f'{MEMBER}.jwks'}"
    assert "sealed to 0 more keys" in hx("keys", "network", "share", "--ring", ring)[1]
    assert hx("keys", "network", "finish", "--yes")[0] == 0
    keys = directory_of(network).network_keys
    assert keys is not None
    assert (keys.current, keys.next) == (2, None)


@pytest.mark.parametrize(
    ("lines", "field", "rule"),
    [
        ("expires: 2027-01-01\n", "expires", "malformed"),
        ("expires: 2027-01-01T00:00:00\n", "expires", "malformed"),
        ("signers: {threshold: 1}\n", "signers.keys", "missing"),
        ("signers: {threshold: 1, keys: {}}\n", "signers.keys", "out_of_range"),
        ("exchange_keys: 5\n", "exchange_keys", "wrong_type"),
        ("exchange_keys: [{id: x}]\n", "exchange_keys[0].use", "missing"),
        ("exchange_keys: [{colour: x}]\n", "exchange_keys[0].colour", "unknown_field"),
        ("network_keys: ../other.json\n", "network_keys", "wrong_type"),
        ("network_keys: missing.json\n", "network_keys", "unreadable"),
        ("network_keys: network.yaml\n", "network_keys", "unreadable"),
        ("protection: some\n", "protection", "wrong_type"),
        ("protection: required\n", "exchange_keys", "missing"),
    ],
)
def test_mistakes_about_keys_are_told_by_field_and_rule(
    hx: Hx, network: Path, lines: str, field: str, rule: str
) -> None:
    """Each slip in the lines about keys has its place in the file; the check goes on to the next one."""
    network.write_text(network.read_text() + lines)
    code, out, _ = hx("directory", "check", "--json")
    found = [json.loads(line)["violation"] for line in out.splitlines()]
    assert code == 1
    assert (field, rule) in [(each["field"], each["rule"]) for each in found]


def test_keys_are_where_the_settings_say(
    hx: Hx, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in HX_KEYS is the ring of 'hx keys'; signers have theirs apart unless each name has its own."""
    own = tmp_path / "own" / "ring.jwks"
    monkeypatch.setenv("HX_KEYS", f"file:{own}")
    _, out, _ = hx("keys", "new", MEMBER)
    assert own.exists()
    assert MEMBER in hx("keys", "show", MEMBER)[1]
    hx("keys", "new", "--signer", "anna")
    assert (tmp_path / "data" / "keys" / "signer-anna.jwks").exists()
    put(network, out)
    code, _, err = hx("keys", "rotate", "nl-offlimits")
    assert (code, f"is the ring of {MEMBER}" in err) == (2, True)
    monkeypatch.setenv("HX_KEYS", f"file:{tmp_path}/many/{{member}}.jwks")
    hx("keys", "new", "--signer", "bert")
    assert (tmp_path / "many" / "signer-bert.jwks").exists()


@pytest.mark.usefixtures("network")
def test_a_ring_is_named_by_path_or_address(hx: Hx, tmp_path: Path) -> None:
    """PATH and file:PATH are the same ring; a place where no file can be written is refused."""
    path = tmp_path / "a.jwks"
    assert hx("keys", "new", MEMBER, "--ring", f"file:{path}")[0] == 0
    assert hx("keys", "show", MEMBER, "--ring", str(path))[0] == 0
    assert hx("keys", "show", MEMBER, "--ring", f"file:{path}")[0] == 0
    assert hx("keys", "new", MEMBER, "--ring", "env:RING")[0] == 2


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("command", ["show", "rotate", "revoke"])
def test_a_mistyped_member_has_no_ring_to_look_for(hx: Hx, command: str) -> None:
    """The directory file is asked before a ring: the error offers the right id and names no file."""
    code, _, err = hx("keys", command, "nl-offlimit")
    assert (code, err) == (2, "hx: no member nl-offlimit: did you mean nl-offlimits?\n")
    assert hx("keys", command, "fr")[2] == "hx: no member fr: the liaison of fr is fr-police\n"
