"""Tables as laboratories of several countries keep them, and what a reader must see at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from drugsig.errors import InputError, MetadataError, TableError, UnknownNameError
from drugsig.profiles import ProfileSet, Status
from drugsig.profiles.tables import describe_table, read_profiles, write_profiles
from drugsig.profiles.tables.names import (
    is_internal_standard,
    is_main_compound,
    is_metadata_name,
    is_sum_name,
    is_summary_id,
)


def put(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def put_book(folder: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = folder / "t.xlsx"
    book.save(path)
    return path


def notes(profiles: ProfileSet, key: str = "guesses") -> list[str]:
    found: list[str] = profiles.history[-1].detail[key]
    return found


def risky(profiles: ProfileSet, part: str) -> bool:
    """Say whether one risk has this part; what is a risk is a guess as well."""
    assert set(notes(profiles, "risks")) <= set(notes(profiles))
    return any(part in risk for risk in notes(profiles, "risks"))


# -- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    ["Jahr", "Gewicht (g)", "Menge", "Reinheit (%)", "Gehalt", "Charge", "Poids [g]", "Pureté",
     "PURETE", "Lot", "Peso", "Pureza", "Fecha", "Datum", "Eingangsdatum", "Bruttogewicht",
     "Wirkstoffgehalt", "Farbe", "Date d'analyse", "Inj"],
)  # fmt: skip
def test_metadata_of_several_languages(tmp_path: Path, heading: str) -> None:
    assert is_metadata_name(heading)
    profiles = read_profiles(put(tmp_path, f"Probe;{heading};T1\nA;2024;1,5\nB;2025;2,5\n"))
    assert profiles.target_names == ("T1",)
    assert notes(profiles, "risks") == []


@pytest.mark.parametrize(
    "heading", ["Sum", "Summe", "TOTAL", "Total area", "Gesamt", "Gesamtfläche", "Sum of areas",
                "Somme", "Sum (%)"],
)  # fmt: skip
def test_sums_over_the_line_are_no_targets(tmp_path: Path, heading: str) -> None:
    assert is_sum_name(heading)
    path = put(tmp_path, f"Sample;T1;T2;{heading}\nA;1,5;2;3,5\nB;2,5;3;5,5\n")
    profiles = read_profiles(path)
    assert profiles.target_names == ("T1", "T2")
    assert f"'{heading}' looks like a sum over the line, not a compound" in str(notes(profiles))
    named = read_profiles(path, targets=["T1", heading])
    assert risky(named, f"'{heading}' is read as an impurity although it looks like a sum")


@pytest.mark.parametrize("heading", ["Total alkaloids", "Summit", "Sumatrol", "T1"])
def test_other_headings_are_no_sums(heading: str) -> None:
    assert not is_sum_name(heading)


@pytest.mark.parametrize(
    "name",
    ["Kokain", "cocaïne", "Cocaína", "COCAINE HCl", "Amphetamin", "Amfetamin", "Anfetamina",
     "Heroin", "Heroïne", "Diamorphin", "Metamfetamin", "methamphetamine base", "MDMA",
     "Kokain (Fläche)", "Ketamin"],
)  # fmt: skip
def test_main_compounds_of_several_languages(tmp_path: Path, name: str) -> None:
    assert is_main_compound(name)
    path = put(tmp_path, f"Probe;{name};T1\nA;1,5;2\nB;2,5;3\n")
    assert risky(read_profiles(path), f"say roles={{'{name}': 'main'}}")
    assert not risky(read_profiles(path, roles={name: "main"}), "main compound")


@pytest.mark.parametrize("name", ["norcocaine", "cis-Cinnamoylcocain", "Ecgonin", "Acetylcodein"])
def test_impurities_are_no_main_compounds(name: str) -> None:
    assert not is_main_compound(name)
    assert not is_internal_standard(name)


@pytest.mark.parametrize(
    "name",
    ["Tetracosan (IS)", "Tetracosane (ISTD)", "IStd 2", "Internal standard", "C24 int. std.",
     "interner Standard", "Étalon interne", "IS1"],
)  # fmt: skip
def test_internal_standards_among_the_impurities(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, f"Probe;{name};T1\nA;1,5;2\nB;2,5;3\n")
    assert risky(read_profiles(path), f"say roles={{'{name}': 'internal_standard'}}")
    told = read_profiles(path, roles={name: "internal_standard"})
    assert notes(told, "risks") == []


def test_all_targets_are_spelled_out(tmp_path: Path) -> None:
    heads = [f"T{k}" for k in range(40)]
    text = "Probe;" + ";".join(heads) + "\nA;" + ";".join(["1,5"] * 40) + "\n"
    said = [g for g in notes(read_profiles(put(tmp_path, text))) if g.startswith("targets are")]
    assert all(f"'{head}'" in said[0] for head in heads)


# -- ids -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["Mean", "Mittelwert", "Average", "Total", "Summe", "RSD %", "QC", "QC 1", "QC02", "Blank",
     "Blank-3", "Blindwert", "Standard 1", "Control", "Kontrolle"],
)  # fmt: skip
def test_lines_that_are_no_specimens(tmp_path: Path, name: str) -> None:
    assert is_summary_id(name)
    path = put(tmp_path, f"Sample;T1\nA;1,5\nB;2,5\n{name};2\n")
    assert risky(read_profiles(path), f"profile(s) '{name}' look like")
    left = read_profiles(path, leave_out=[name])
    assert left.ids == ("A", "B")
    assert notes(left, "risks") == []
    assert "1 id(s) left out as asked by leave_out" in notes(left)
    assert left.history[0].detail["n_left_out"] == 1
    assert name not in str(left.history[0])


@pytest.mark.parametrize("name", ["SD-024", "A mean one", "24-001", "MIN 7", "Blankenese 4"])
def test_specimens_are_no_summaries(name: str) -> None:
    assert not is_summary_id(name)


def test_ids_that_a_spreadsheet_changed(tmp_path: Path) -> None:
    day = dt.datetime.fromisoformat("2024-01-03")
    rows: list[list[Any]] = [
        ["Sample ID", "T1"],
        [day, 1.5],
        [24.10, 2],
        [7, 2.5],
        ["x", 3],
        [10**17 + 1, 1],
    ]
    profiles = read_profiles(put_book(tmp_path, s=rows))
    assert profiles.ids[:3] == ("2024-01-03", "24.1", "7")
    assert risky(profiles, "3 id(s) in column 'Sample ID' are stored as numbers, '24.1', '7'")
    assert risky(profiles, "3-1 became 2024-01-03 in 's'!A2")
    assert risky(profiles, "1 id(s) in column 'Sample ID' are numbers with more than 15 digits")
    assert not any("1.0" in risk for risk in notes(profiles, "risks"))
    assert all(type(one) is str for one in profiles.ids)


def test_long_and_shortened_numbers_in_text(tmp_path: Path) -> None:
    text = "Sample;T1\n1234567890123450000;1,5\n1,23457E+15;2\n001;3\n"
    profiles = read_profiles(put(tmp_path, text))
    assert risky(profiles, "2 id(s) in column 'Sample' are numbers with more than 15 digits")
    assert profiles.ids[2] == "001"


def test_dates_that_are_written_as_text_are_no_risk(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "Sample;T1\n2024-01-03;1,5\n2024-01-04;2\n"))
    assert notes(profiles, "risks") == []


def test_the_number_of_an_injection_is_no_risk(tmp_path: Path) -> None:
    path = put_book(tmp_path, s=[["Sample", "Inj", "T1"], ["A", 1, 1.5], ["A", 2, 2.5]])
    assert notes(read_profiles(path, id_column=["Sample", "Inj"]), "risks") == []


# -- columns that may be targets -------------------------------------------------------------


def column(*cells: str) -> str:
    return "Sample;T1;T2\n" + "".join(f"s{k};{k + 1},5;{c}\n" for k, c in enumerate(cells))


def test_words_of_a_laboratory_among_few_numbers(tmp_path: Path) -> None:
    path = put(tmp_path, column(*["*"] * 12, *["3,5"] * 6))
    profiles = read_profiles(path)
    assert profiles.target_names == ("T1",)
    assert risky(
        profiles,
        "'T2' holds 6 number(s) and 12 times '*'; it was kept as metadata: if it is a target, say "
        "tokens={'*': 'below_loq'}",
    )
    told = read_profiles(path, tokens={"*": "below_loq"})
    assert told.status[:, 1].tolist() == [Status.BELOW_LOQ] * 12 + [Status.DETECTED] * 6


def test_texts_of_all_kinds_among_numbers(tmp_path: Path) -> None:
    half = read_profiles(put(tmp_path, column("a", "b", "c", "d", "5", "6")))
    assert risky(half, "'T2' holds 2 number(s) and 4 text(s) such as 'a'")
    few = read_profiles(put(tmp_path, column("a", "b", "c", "d", "e", "f", "g", "5")))
    assert notes(few, "risks") == []


def test_columns_without_a_number_are_a_risk(tmp_path: Path) -> None:
    assert risky(read_profiles(put(tmp_path, column("", "", ""))), "column 'T2' is empty")
    assert risky(read_profiles(put(tmp_path, column("nd", "nd", "nd"))), "'T2' holds only texts")
    named = put(tmp_path, "Sample;T1;Remark\nA;1,5;\nB;2,5;\n")
    assert notes(read_profiles(named), "risks") == []


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Spuren", Status.BELOW_LOQ),
        ("trace(s)", Status.BELOW_LOQ),
        ("u.d.B.", Status.BELOW_LOQ),
        ("<BG", Status.BELOW_LOQ),
        ("< LQ", Status.BELOW_LOQ),
        ("n. n.", Status.BELOW_LOD),
        ("NN", Status.BELOW_LOD),
        ("<NG", Status.BELOW_LOD),
        ("< LD", Status.BELOW_LOD),
        ("<LD", Status.BELOW_LOD),
        ("Non détecté", Status.BELOW_LOD),
        ("n.d", Status.BELOW_LOD),
    ],
)
def test_words_for_nothing_found(tmp_path: Path, text: str, status: Status) -> None:
    profiles = read_profiles(put(tmp_path, column(*[text] * 9, "3,5")))
    assert profiles.target_names == ("T1", "T2")
    assert profiles.status[0, 1] == status


def test_a_date_in_a_target(tmp_path: Path) -> None:
    day = dt.datetime.fromisoformat("2024-05-03")
    rows: list[list[Any]] = [["Sample", "T1"], ["A", 1.5], ["B", day], ["C", 2.5]]
    with pytest.raises(TableError, match=r"'s'!B3.*holds a date \(2024-05-03\).*3\.5 into 3 May"):
        read_profiles(put_book(tmp_path, s=rows))
    with pytest.raises(TableError, match=r"line 3.*holds a date \(03\.05\.2024\)"):
        read_profiles(put(tmp_path, column("1,5", "03.05.2024", "2,5")))
    mostly: list[list[Any]] = [["Sample", "T1", "T2"], ["A", 1, 2], ["B", 1, 3]]
    mostly += [[f"s{k}", 1, day] for k in range(5)]
    profiles = read_profiles(put_book(tmp_path, s=mostly))
    assert risky(profiles, "'T2' holds 2 number(s) and 5 times a date")


# -- lines that are no profiles --------------------------------------------------------------


@pytest.mark.parametrize(
    "units",
    [";;Fläche;area", "Einheit;;%;mg/kg", ";(g);[counts];rel. area", "unit;;area;", ";;(min);%"],
)
def test_a_line_of_units_below_the_header(tmp_path: Path, units: str) -> None:
    text = f"Title;;;\nProbe;Asservat;T1;T2\n{units}\nA;x;1,5;2\nB;y;2,5;3\n"
    profiles = read_profiles(put(tmp_path, text))
    assert profiles.ids == ("A", "B")
    assert profiles.history[0].detail["header_line"] == 2
    assert any(g.startswith("line 3 holds units and was skipped") for g in notes(profiles))


@pytest.mark.parametrize("line", ["A;g;n.d.;n.d.", "g;x;2,5;area", "A;;-;-"])
def test_a_profile_is_no_line_of_units(tmp_path: Path, line: str) -> None:
    text = f"Probe;Asservat;T1;T2\n{line}\nB;y;2,5;3\n"
    assert "holds units" not in str(describe_table(put(tmp_path, text)))


def test_lines_to_skip_are_not_even_looked_at(tmp_path: Path) -> None:
    text = "Sample;T1\nA;1,5\nMean;x\nB;2,5\nn.d. = not detected\n"
    path = put(tmp_path, text)
    with pytest.raises(TableError, match=r"line 5.*skip_lines=\[5\]"):
        read_profiles(path)
    profiles = read_profiles(path, skip_lines=[5, 3])
    assert profiles.ids == ("A", "B")
    assert profiles.history[0].detail["skip_lines"] == [3, 5]
    assert "left out as asked by skip_lines: line 3 ('Mean'), line 5 ('n.d. = not detected')" in (
        notes(profiles)
    )
    assert describe_table(path, skip_lines=[5, 3]).n_profiles == 2


def test_rows_to_skip_in_a_workbook(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Sample", "T1"],
        ["A", 1.5],
        ["Mean", "=AVERAGE(B2:B2)"],
        ["SD", "#DIV/0!"],
        ["B", 2],
    ]
    path = put_book(tmp_path, s=rows)
    with pytest.raises(TableError, match=r"#DIV/0!.*skip_lines=\[4\]"):
        read_profiles(path)
    with pytest.raises(TableError, match=r"no stored result.*skip_lines=\[3\]"):
        read_profiles(path, skip_lines=[4])
    assert read_profiles(path, skip_lines=[3, 4]).ids == ("A", "B")


@pytest.mark.parametrize("lines", [[99], [0], ["3"], "3", 3, [True]])
def test_lines_that_are_not_there_are_refused(tmp_path: Path, lines: Any) -> None:
    with pytest.raises(InputError, match="skip_lines"):
        read_profiles(put(tmp_path, "Sample;T1\nA;1,5\n"), skip_lines=lines)


def test_ids_left_out_may_repeat_and_must_exist(tmp_path: Path) -> None:
    path = put(tmp_path, "T1;Sample\n1,5;A\nx;QC\n2,5;B\n3,5;QC\n")
    with pytest.raises(TableError, match=r"'QC' in lines 3, 5.*leave_out=\['QC'\]"):
        read_profiles(path)
    assert read_profiles(path, leave_out=["QC"]).ids == ("A", "B")
    assert read_profiles(path, leave_out=["QC"], id_column="Sample").ids == ("A", "B")
    with pytest.raises(UnknownNameError, match="Did you mean 'QC'"):
        read_profiles(path, leave_out=["QC", "Qc1"])
    with pytest.raises(InputError, match="must be a list"):
        read_profiles(path, leave_out="QC")
    with pytest.raises(TableError, match="no line below"):
        read_profiles(path, leave_out=["A", "QC", "B"])


def test_an_empty_id_mentions_lines_to_skip(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"id is empty.*skip_lines=\[3\]"):
        read_profiles(put(tmp_path, "Sample;T1\nA;1,5\n;2,5\n"))


# -- headings and shapes ---------------------------------------------------------------------


def test_headings_in_two_lines_mention_the_header_line(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["", "Impurities", "", ""], ["Lab no", "A", "B", "C"]]
    rows += [["x1", 1, 2, 3], ["x2", 1, 2, 3]]
    path = put_book(tmp_path, s=rows)
    with pytest.raises(TableError, match="header_line=2"):
        read_profiles(path)
    assert read_profiles(path, header_line=2).target_names == ("A", "B", "C")
    with pytest.raises(TableError, match="header_line="):
        read_profiles(put(tmp_path, "Sample;Area;Area\nA;1,5;2\n"))
    with pytest.raises(TableError, match="header_line="):
        read_profiles(put(tmp_path, "Sample;Area;\nA;1,5;2\n"))


@pytest.mark.parametrize(
    "text",
    [
        "Sample,Compound,Area\nA,x,1.5\nA,y,2.5\nB,x,3\nB,y,4\n",
        "Sample,Compound,RT,Area\nA,x,1.5,7\nA,y,2.5,8\nB,x,1.5,9\nB,y,2.5,4\n",
        "Probe;Verbindung;Fläche;Höhe\nA;x;1,5;1\nA;y;2,5;2\nB;x;3;3\n",
    ],
)
def test_a_long_table_is_refused_as_such(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, text)
    with pytest.raises(TableError, match="this is a long table: one line a compound"):
        read_profiles(path)
    with pytest.raises(TableError, match="pivot table"):
        read_profiles(path, id_column=text.replace(";", ",").split(",")[:2])


@pytest.mark.parametrize(
    "text",
    [
        "Sample,Compound,T1\nA,MDMA,1.5\nB,MDMA,2.5\nC,ketamine,3\n",
        "batch,Target,Sample,T1\nx,a,A,1.5\nx,b,B,2.5\ny,a,C,3\n",
        "Sample,Compound,T1,T2,T3,T4\nA,x,1,1,1,1\nB,y,2,2,2,2\nC,x,3,3,3,3\n",
    ],
)
def test_a_column_of_compounds_alone_makes_no_long_table(tmp_path: Path, text: str) -> None:
    assert read_profiles(put(tmp_path, text)).ids == ("A", "B", "C")


def test_measured_columns_are_never_suggested_as_ids(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Name", "Inj", "Cocaine", "RT dev", "Lot", "T1"]]
    rows += [[f"S{k // 2}", k % 2 + 1, 90_000.0 + k, 0.1 * k, "L", 7 + k] for k in range(6)]
    path = put_book(tmp_path, s=rows)
    with pytest.raises(TableError, match=r"These would: id_column=\['Name', 'Inj'\]"):
        read_profiles(path)
    assert describe_table(path).id_candidates == (("Name", "Inj"),)
    with pytest.raises(TableError, match="Add a column of ids"):
        read_profiles(put(tmp_path, "Sample,Weight,T1\nA,1,1.5\nA,2,2.5\n"))


# -- metadata by a part of the id ------------------------------------------------------------


def test_one_line_of_metadata_serves_all_injections(tmp_path: Path) -> None:
    areas: list[list[Any]] = [["Sample", "Inj", "T1"], ["A", 1, 1.5], ["A", 2, 2.5], ["B", 1, 3.5]]
    lookup = [["Sample", "Region"], ["B ", "S"], ["A", "N"], ["X", "W"]]
    path = put_book(tmp_path, areas=areas, lookup=lookup)
    told: dict[str, Any] = {"sheet": "areas", "id_column": ["Sample", "Inj"]}
    with pytest.raises(MetadataError, match=r"by 'Sample' alone, say metadata_id_column='Sample'"):
        read_profiles(path, **told, metadata_sheet="lookup")
    profiles = read_profiles(path, **told, metadata_sheet="lookup", metadata_id_column="Sample")
    assert profiles.column("Region") == ("N", "N", "S")
    joined = profiles.history[0].detail["joined"]
    assert joined["profile_column"] == "Sample"
    assert joined["n_ids_without_profile"] == 1
    assert "by column 'Sample' of the profiles" in str(joined["guesses"])


def test_the_part_may_have_another_heading_there(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample Name,Inj,T1\nA,1,1.5\nA,2,2.5\n")
    other = put(tmp_path, "Probe,Region\nA,N\n", "m.csv")
    told: dict[str, Any] = {"id_column": ["Sample Name", "Inj"], "metadata_path": other}
    profiles = read_profiles(path, **told, metadata_id_column="Probe")
    assert profiles.column("Region") == ("N", "N")
    assert profiles.history[0].detail["joined"]["profile_column"] == "Sample Name"


def test_another_column_of_both_tables_joins_them(tmp_path: Path) -> None:
    path = put(tmp_path, "Run,Seizure,T1\nr1,S1,1.5\nr2,S1,2.5\nr3,S2,3.5\n")
    other = put(tmp_path, "Seizure,Place\nS1,N\nS3,E\n", "m.csv")
    with pytest.raises(MetadataError, match=r"1 of 3 profiles have no line of metadata: 'r3'"):
        read_profiles(path, metadata_path=other, metadata_id_column="Seizure")
    profiles = read_profiles(
        path, metadata_path=other, metadata_id_column="Seizure", metadata_missing="empty"
    )
    assert profiles.column("Place") == ("N", "N", None)


# -- what a program sees ---------------------------------------------------------------------


def test_an_edited_native_file_is_a_risk(tmp_path: Path) -> None:
    path = write_profiles(read_profiles(put(tmp_path, "Sample;T1\nA;1,5\n")), tmp_path / "p.csv")
    assert describe_table(path).risks == ()
    path.write_bytes(path.read_bytes().replace(b"A,1.5", b"A,1.6"))
    profiles = read_profiles(path)
    assert profiles.history[-1].operation == "digest_mismatch"
    assert profiles.history[-1].detail["risks"] == list(describe_table(path).risks)
    assert "edited outside drugsig" in describe_table(path).risks[0]


def test_info_shows_risks_first_and_once(tmp_path: Path) -> None:
    info = describe_table(put(tmp_path, "Sample;Kokain;T1\nA;1,5;2\nMean;2;3\n"))
    assert len(info.risks) == 2
    assert info.to_dict()["risks"] == list(info.risks)
    shown = str(info)
    assert all(shown.count(risk) == 1 for risk in info.risks)
    assert shown.index("look at this:") < shown.index("decided:")
