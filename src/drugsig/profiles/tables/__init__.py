"""Tables of profiles: reading what laboratories have, and writing what can be read back.

`read_profiles` reads CSV, TSV, semicolon files and XLSX workbooks. What it is not told it finds
by stated rules and records in the history of the profiles; what could mean two different
numbers it refuses. `describe_table` says what a file holds without insisting that it be
readable. `write_profiles` writes drugsig's own format, which comes back identically, and
`write_table` and `write_columns` any other table, through the same writer and with the same
escape against formulas.
"""

from drugsig.profiles.tables.info import TableInfo, describe_table
from drugsig.profiles.tables.joining import add_metadata
from drugsig.profiles.tables.reader import read_profiles
from drugsig.profiles.tables.writer import read_table, write_columns, write_profiles, write_table

__all__ = [
    "TableInfo",
    "add_metadata",
    "describe_table",
    "read_profiles",
    "read_table",
    "write_columns",
    "write_profiles",
    "write_table",
]
