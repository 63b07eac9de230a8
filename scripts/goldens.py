"""Say whether the results of the examples are the bytes they were.

With --write the digests are written into tests/goldens/; without an option they are compared, and
the exit code is 1 if a file differs. Bytes are promised for the same versions on the same kind of
machine only: elsewhere nothing is compared, and that is said. A difference between two versions of
the code is wanted or a fault; where it is wanted, the changelog says so under *Changed results*.

    python scripts/goldens.py [--write] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from numpy._core._multiarray_umath import __cpu_features__
from threadpoolctl import threadpool_info, threadpool_limits

import drugsig
from drugsig import workflow

ROOT = Path(__file__).resolve().parent.parent
DIGESTS = ROOT / "tests" / "goldens" / "digests.json"
COMPUTING = ("matplotlib", "numpy", "pandas", "pybaselines", "scikit-learn", "scipy")


def _casework(out: Path) -> None:
    drugsig.analyse(out.parent / "examples" / "casework" / "analysis.toml", out=out, progress=False)


def _profiles(out: Path) -> None:
    drugsig.analyse(out.parent / "examples" / "profiles" / "analysis.toml", out=out, progress=False)


def _decimal_comma(out: Path) -> None:
    source = out.parent / "examples" / "profiles" / "analysis.toml"
    drugsig.analyse(source, out=out, decimal_comma=True, progress=False)


def _not_validated(out: Path) -> None:
    source = out.parent / "examples" / "tutorial.csv"
    drugsig.analyse(source, out=out, threshold=0.05, progress=False)


def _validation(out: Path) -> None:
    source = out.parent / "examples" / "validation" / "validation.toml"
    workflow.validate_method(source, out=out, progress=False)


def _links(out: Path) -> None:
    out.mkdir()
    profiles = drugsig.read_profiles(
        out.parent / "examples" / "profiles" / "seizures.xlsx",
        sheet="Profiles",
        metadata_sheet="Cases",
    )
    drugsig.write_profiles(profiles, out / "profiles.csv")
    workflow.search_links(
        out / "profiles.csv", threshold=0.1, out=out / "links.csv", progress=False
    )


JOBS: dict[str, Callable[[Path], None]] = {
    "casework": _casework,
    "profiles": _profiles,
    "decimal-comma": _decimal_comma,
    "not-validated": _not_validated,
    "validation": _validation,
    "links": _links,
}


def made_by() -> dict[str, str]:
    """Return what the bytes depend on besides the code."""
    # Kernels of matrix products and of exp and log differ in the last bit between processors.
    pools = (pool for pool in threadpool_info() if pool["user_api"] == "blas")
    blas = sorted({str(pool.get("architecture")) for pool in pools})
    simd = sorted(name for name, there in __cpu_features__.items() if there)
    return {
        "machine": f"{platform.system()} {platform.machine()}",
        "blas": ", ".join(blas),
        "simd": hashlib.sha256(" ".join(simd).encode()).hexdigest()[:16],
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in COMPUTING},
    }


def digests_of(folder: Path) -> dict[str, str]:
    """Run every job below a folder and return the digests of what was written and warned of."""
    out = {}
    # Results name their inputs by the way from one to the other: it is always the same here.
    shutil.copytree(ROOT / "data" / "examples", folder / "examples")
    shutil.copy(ROOT / "docs" / "tutorial" / "profiles.csv", folder / "examples" / "tutorial.csv")
    for name, job in JOBS.items():
        # Sums of a matrix product differ in the last bits with the number of threads.
        one_thread = threadpool_limits(limits=1, user_api="blas")
        with one_thread, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            job(folder / name)
        warned = "\n".join(str(one.message) for one in caught)
        (folder / name / "warnings.txt").write_text(warned, encoding="utf-8")
        for path in sorted((folder / name).iterdir()):
            content = path.read_bytes()
            if path.name == "manifest.json":
                # The time of writing and the digests of the files change by themselves.
                content = json.dumps(json.loads(content)["summary"], sort_keys=True).encode()
            elif path.name == "links.csv.json":
                told = json.loads(content)
                content = json.dumps({k: v for k, v in told.items() if k != "written"}).encode()
            out[f"{name}/{path.name}"] = hashlib.sha256(content).hexdigest()
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep what comes as right")
    parser.add_argument("--keep", type=Path, help="write the results into this folder")
    chosen = parser.parse_args(arguments)
    known = json.loads(DIGESTS.read_text(encoding="utf-8")) if DIGESTS.is_file() else {}
    if not chosen.write and known.get("made_by") != made_by():
        print(f"NOT COMPARED: made by {known.get('made_by')}, and this is {made_by()}")
        return 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) if chosen.keep is None else chosen.keep
        folder.mkdir(parents=True, exist_ok=True)
        found = digests_of(folder)
    if chosen.write:
        DIGESTS.parent.mkdir(exist_ok=True)
        text = json.dumps({"made_by": made_by(), "sha256": found}, indent=2) + "\n"
        DIGESTS.write_text(text, encoding="utf-8", newline="\n")
    wanted = known.get("sha256", {}) if not chosen.write else found
    faults = sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))
    for name in faults:
        kind = "differs" if name in wanted and name in found else "is new or missing"
        print(f"{name} {kind}", file=sys.stderr)
    print(f"{len(found)} files, {len(faults)} differ")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
