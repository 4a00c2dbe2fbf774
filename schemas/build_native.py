"""`python -m schemas.build_native`: compile readers and writers of the locked schemas to machine code.

Optional: without a build, the same functions run as Python. Needs the extra `native` and a C compiler to be
built, librt (of the same extra) to run. The result stands beside this module and serves only the schemas it
was made of; docs/adr/0014 has the figures.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.codec import PREFIX_FIELDS, STATEMENT_NAMES
from schemas.native_source import NativeFunction, native_reader, native_writer, prelude
from schemas.registry import registry

MODULE: Final = "native_codec"
_SETUP: Final = f"""
from mypyc.build import mypycify
from setuptools import setup

setup(name="{MODULE}", packages=[], ext_modules=mypycify(["{MODULE}.py"], opt_level="3"))
"""


def functions() -> Iterator[NativeFunction]:
    """Yield all that the exchange reads and writes: every newest schema, and statements' routing fields."""
    for name in registry().names():
        declaration = registry().latest(name).declaration
        yield native_writer(declaration)
        yield native_reader(declaration)
        if name in STATEMENT_NAMES:
            fields: list[object] = declaration["fields"]  # type: ignore[assignment] # a record has a list of fields
            yield native_reader(declaration | {"fields": fields[: len(PREFIX_FIELDS)]})


def source() -> str:
    """Return the module that is compiled."""
    # Functions of one text are one: the routing fields of all statements are the same.
    texts = dict.fromkeys(function.text for function in functions())
    return prelude() + "".join(f"\n\n{text}" for text in texts)


def build(into: Path) -> Path:
    """Compile, and return the extension module made in the folder `into`."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        (place / f"{MODULE}.py").write_text(source(), encoding="utf-8")
        (place / "setup.py").write_text(_SETUP, encoding="utf-8")
        command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
        subprocess.run(command, cwd=place, check=True)  # noqa: S603 - our own file, with this Python
        (made,) = place.glob(f"{MODULE}.*.so")
        return Path(shutil.copy(made, into))


def main() -> None:
    """Build beside this module, or where told."""
    parser = argparse.ArgumentParser(prog="python -m schemas.build_native", description=__doc__)
    parser.add_argument("--into", type=Path, default=Path(__file__).parent)
    sys.stdout.write(f"{build(parser.parse_args().into)}\n")


if __name__ == "__main__":
    main()
