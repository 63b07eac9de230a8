"""Read quantifier and qualifier ions off the EI spectra of the SWGDRUG library, version 3.4.

The library is not part of the repository: give its table (columns Name, MW, PeakList) with
--library. Every ion of the protocols in src/drugsig/protocols/data whose source is "swgdrug_3_4"
was obtained by this rule, and `check` repeats it:

1. Entries are found by their name. The column InChIKey of the table is not used: for every compound
   that was looked up it held the key of another one.
2. Ions below m/z 50 are left out (air, water, carbon dioxide and the small fragments of every
   amine), and so are ions more than 4 above the molar mass (contamination of the spectrum) and the
   main ions of column bleed.
3. The quantifier is the most intense ion that is left; where others have at least 90 % of it, the
   heaviest of them. A protocol may take its ions from another source instead.
4. Qualifiers are the two ions with the largest m/z times square root of the intensity among those
   with at least 5 % of the base peak, so that a heavy ion wins over a more intense light one. An
   isotope peak (one above an ion of four times its intensity or more) is no qualifier.
5. The expected ratio is the intensity of the qualifier over that of the quantifier, or over the sum
   of its ions, to three decimals. Another instrument gives other ratios: no tolerance is shipped.

    python scripts/ions_from_library.py --library TABLE show Tropacocaine
    python scripts/ions_from_library.py --library TABLE check
"""

from __future__ import annotations

import argparse
import csv
import math
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = "swgdrug_3_4"
PROTOCOLS = Path(__file__).resolve().parents[1] / "src" / "drugsig" / "protocols" / "data"

LOWEST_MZ = 50
ABOVE_MOLAR_MASS = 4
# Fragments of methyl and phenyl polysiloxanes, which every column gives off.
COLUMN_BLEED = (73, 147, 207, 281, 355)
ABOUT_AS_INTENSE = 0.9
N_QUALIFIERS = 2
LEAST_SHARE = 0.05
ISOTOPE_SHARE = 0.25


@dataclass(frozen=True)
class Spectrum:
    """One entry of the library."""

    name: str
    molar_mass: float
    peaks: Mapping[int, int]

    def usable(self) -> dict[int, int]:
        """Return the ions that rule 2 leaves."""
        highest = self.molar_mass + ABOVE_MOLAR_MASS
        return {
            mz: height
            for mz, height in self.peaks.items()
            if LOWEST_MZ <= mz <= highest and mz not in COLUMN_BLEED
        }


def read_library(path: Path) -> dict[str, Spectrum]:
    """Return the spectra by name; names that come twice are left out."""
    found: dict[str, Spectrum] = {}
    twice = set()
    with path.open(encoding="utf-8-sig", newline="") as table:
        for row in csv.DictReader(table):
            pairs = re.findall(r"(\d+)\s+(\d+)", row["PeakList"])
            name = row["Name"]
            if name in found:
                twice.add(name)
            peaks = {int(mz): int(height) for mz, height in pairs}
            found[name] = Spectrum(name, float(row["MW"]), peaks)
    return {name: spectrum for name, spectrum in found.items() if name not in twice}


def quantifier(spectrum: Spectrum) -> int:
    """Return the ion of rule 3."""
    ions = spectrum.usable()
    highest = max(ions.values())
    return max(mz for mz, height in ions.items() if height >= ABOUT_AS_INTENSE * highest)


def qualifiers(spectrum: Spectrum, quantifier_ions: Sequence[int]) -> list[tuple[int, float]]:
    """Return the ions of rule 4 with the ratios of rule 5."""
    ions = spectrum.usable()
    total = sum(spectrum.peaks.get(mz, 0) for mz in quantifier_ions)
    base = max(spectrum.peaks.values())
    chosen = [
        mz
        for mz, height in ions.items()
        if mz not in quantifier_ions
        and height >= LEAST_SHARE * base
        and height > ISOTOPE_SHARE * spectrum.peaks.get(mz - 1, 0)
    ]
    chosen.sort(key=lambda mz: (-mz * math.sqrt(ions[mz]), mz))
    return [(mz, round(ions[mz] / total, 3)) for mz in chosen[:N_QUALIFIERS]]


def as_toml(spectrum: Spectrum, ions: Sequence[int]) -> str:
    """Return the lines of a target."""
    told = f'source = "{SOURCE}", verified = true, where = "{spectrum.name}"'
    rule = "single" if len(ions) == 1 else "sum"
    lines = [f'quantifier = {{ mz = {list(ions)}, rule = "{rule}", {told} }}', "qualifiers = ["]
    lines += [
        f"  {{ mz = {mz}, expected_ratio = {ratio}, {told} }},"
        for mz, ratio in qualifiers(spectrum, ions)
    ]
    return "\n".join([*lines, "]", ""])


def faults(path: Path, library: Mapping[str, Spectrum]) -> Iterator[str]:
    """Yield every ion of a protocol that the library does not give by the rule."""
    for target in tomllib.loads(path.read_text(encoding="utf-8"))["targets"]:
        place = f"{path.name}: {target['name']}"
        block = target.get("quantifier")
        read = [q for q in target.get("qualifiers", ()) if q["source"] == SOURCE]
        blocks = [*read, block] if block and block["source"] == SOURCE else read
        entries = {b.get("where", "") for b in blocks}
        if not entries:
            continue
        if len(entries) > 1 or not entries <= set(library):
            yield f"{place}: {sorted(entries)} is not one entry of the library"
            continue
        spectrum = library[entries.pop()]
        if block["source"] == SOURCE and block["mz"] != [quantifier(spectrum)]:
            yield f"{place}: the quantifier is {block['mz']}, the rule says {quantifier(spectrum)}"
        said = [(q["mz"], q.get("expected_ratio")) for q in read]
        if said != qualifiers(spectrum, block["mz"]):
            wanted = qualifiers(spectrum, block["mz"])
            yield f"{place}: the qualifiers are {said}, the rule says {wanted}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Ions off the EI spectra of the SWGDRUG library.")
    parser.add_argument("--library", type=Path, required=True, help="the table of the library")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="print the ions of one entry as TOML")
    show.add_argument("name", help="the name of the entry")
    show.add_argument("--quantifier", type=int, nargs="+", help="take these ions as the quantifier")
    check = commands.add_parser("check", help="compare protocols with the library")
    check.add_argument("files", type=Path, nargs="*", help="those that are shipped by default")
    options = parser.parse_args(arguments)
    library = read_library(options.library)
    if options.command == "show":
        if options.name not in library:
            sys.stderr.write(f"the library has no single entry {options.name!r}\n")
            return 1
        spectrum = library[options.name]
        sys.stdout.write(as_toml(spectrum, options.quantifier or [quantifier(spectrum)]))
        return 0
    found = [
        fault
        for path in options.files or sorted(PROTOCOLS.glob("*.toml"))
        for fault in faults(path, library)
    ]
    sys.stdout.write("".join(f"{fault}\n" for fault in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
