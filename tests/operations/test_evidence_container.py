"""Files that are no bundle, and names that lead elsewhere: refused before anything in them is read."""

import io
import zipfile
from collections.abc import Callable, Mapping

import evidence_world
import pytest
from evidence_world import World
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.evidence.checking import check
from operations.evidence.container import MAX_BYTES, pack, unpack
from operations.evidence.errors import BundleRefusedError
from operations.evidence.verdicts import FAILED

world = evidence_world.world


@settings(max_examples=200)
@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda tail: b"PK\x03\x04" + tail))
def test_any_bytes_are_answered(hostile: bytes) -> None:
    """Bytes that are no bundle are refused by name, whatever they are."""
    assert [one.verdict for one in check(hostile)][:1] == [FAILED]


def _zipped(entries: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for name, part in entries.items():
            opened.writestr(zipfile.ZipInfo(name), part, method)
    return file.getvalue()


def _doubled(bundle: bytes) -> bytes:
    parts = unpack(bundle)
    local = pack({"facts.json": parts["facts.json"]})
    return local[: local.index(b"PK\x01\x02")] + bundle


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda _: b"", "not_a_bundle"),
        (lambda bundle: bundle[:-5], "not_canonical"),
        (lambda bundle: bundle[: len(bundle) // 2], "truncated"),
        (_doubled, "repeated_name"),
        (lambda bundle: bundle + b"\0", "not_canonical"),
        (lambda _: _zipped({"../manifest.json": b"{}"}), "bad_name"),
        (lambda _: _zipped({"/etc/passwd": b"x"}), "bad_name"),
        (lambda _: _zipped({"a\\b.json": b"x"}), "bad_name"),
        (lambda _: _zipped({"manifest.json": bytes(1 << 20)}, zipfile.ZIP_DEFLATED), "compressed"),
        (lambda _: _zipped({"manifest.json": b"{}"}), "not_canonical"),
    ],
)
def test_hostile_files_are_refused_before_anything_in_them_is_read(
    world: World, make: Callable[[bytes], bytes], rule: str
) -> None:
    """Bombs, climbing and repeated names, cut and longer files are refused by the rule they break."""
    assert ("bundle", rule) in world.failures(make(world.bundle))


@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}(/[a-zA-Z0-9_-]{1,8})?\.[a-z]{2,6}", fullmatch=True).filter(
            str.isascii
        ),
        st.binary(max_size=64),
        min_size=1,
        max_size=6,
    )
)
def test_what_is_packed_is_unpacked(parts: dict[str, bytes]) -> None:
    """Any parts with sound names come back as they were, and in the same bytes whatever their order."""
    assert unpack(pack(parts)) == parts
    assert pack(dict(reversed(parts.items()))) == pack(parts)


@given(st.text(max_size=20).filter(lambda name: not name.isascii() or not name[:1].isalnum() or ".." in name))
def test_no_bundle_is_made_with_a_name_that_leads_elsewhere(name: str) -> None:
    """Names that climb, begin with a slash or are not ASCII are refused when writing too."""
    with pytest.raises(BundleRefusedError, match="bad_name"):
        pack({name: b""})


def test_a_file_beyond_the_limit_is_not_looked_into() -> None:
    """The size is looked at first, and a bundle that would be too large is not made."""
    with pytest.raises(BundleRefusedError, match="too_large"):
        unpack(bytes(MAX_BYTES + 1))
