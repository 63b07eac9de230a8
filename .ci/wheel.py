"""Build the wheel and check that it carries everything the installed package needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = Path("src/drugsig")


def main() -> None:
    folder = Path(sys.argv[1])
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), "."],
        check=True,
    )
    (wheel,) = folder.glob("drugsig-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    missing = sorted(needed - packed)
    if missing:
        sys.exit(f"{wheel.name} lacks {missing}")
    if not any(name.endswith("/LICENSE") for name in packed):
        sys.exit(f"{wheel.name} lacks the licence")
    print(f"{wheel.name}: {len(needed)} files of the package, nothing missing")


if __name__ == "__main__":
    main()
