"""Write the examples into data/examples, or check that they are what the code writes.

Without an option they are written, with their digests; with --check nothing is changed, and the
exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from drugsig.datasets import EXAMPLES, write_example

FOLDER = Path(__file__).resolve().parent.parent / "data" / "examples"
DIGESTS = "SHA256SUMS"


def write_all(folder: Path) -> dict[str, bytes]:
    """Write every example below a folder and return its files by relative path."""
    for name in EXAMPLES:
        write_example(name, folder / name, overwrite=True)
    return files_of(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of all examples below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for name in EXAMPLES
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def digest_list(files: dict[str, bytes]) -> str:
    """Return the digests as `sha256sum --check` reads them."""
    return "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()
    )


def differences(folder: Path) -> list[str]:
    """Return what in a folder is not what the code writes."""
    with tempfile.TemporaryDirectory() as place:
        wanted = write_all(Path(place))
    found = files_of(folder)
    faults = [f"{name} is missing" for name in wanted if name not in found]
    faults += [f"{name} is not part of the example" for name in found if name not in wanted]
    faults += [f"{n} differs" for n, content in wanted.items() if found.get(n, content) != content]
    digests = folder / DIGESTS
    if not digests.is_file() or digests.read_bytes() != digest_list(wanted).encode():
        faults.append(f"{DIGESTS} differs")
    return faults


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Write or check the examples of drugsig.")
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="data/examples by default")
    options = parser.parse_args(arguments)
    if options.check:
        faults = differences(options.folder)
        advice = "Run scripts/make_examples.py and look at what changed, and why.\n"
        sys.stderr.write("".join(f"{fault}\n" for fault in faults) + (advice if faults else ""))
        return 1 if faults else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    files = write_all(options.folder)
    (options.folder / DIGESTS).write_text(digest_list(files), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
