"""The dialect of separated values: delimiter and quotes, found by what makes rows as long as the header."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_ROWS = 200
MOSTLY = 0.5  # of the rows: with fewer, quotes are no quotes
ENOUGH_ROWS = 5  # rows as long as a header that does not name the text, for a file whose name says nothing
_NAME = re.compile(r"[^\W\d][\w.:/-]{0,63}")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The way that a file separates values.

    Attributes:
        delimiter: character between two values.
        quoting: `doubled` if a quote inside quotes is written twice, `escaped` if a backslash precedes it, `none` if
            quotes are characters like others.
        skips_space: a space after a delimiter is no part of the value.
    """

    delimiter: str
    quoting: str = "doubled"
    skips_space: bool = False

    def rows(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """The rows of `lines`; `csv.Error` for one that breaks the rules of quoting."""
        csv.field_size_limit(2**31 - 1)  # of the whole process; rows are bounded by who gives the lines
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar='"',
            doublequote=self.quoting == "doubled",
            escapechar="\\" if self.quoting == "escaped" else None,
            quoting=csv.QUOTE_NONE if self.quoting == "none" else csv.QUOTE_MINIMAL,
            skipinitialspace=self.skips_space,
            strict=True,
        )


def find_dialect(sample: str, extensions: set[str]) -> Dialect:
    """The dialect that makes most rows of a sample as long as its header, longer rows preferred, then usual dialects.

    Args:
        sample: the beginning of a file, from its header on; a line that is cut at its end is left out.
        extensions: `tsv` and `tab` prefer tabs.
    """
    header = sample.partition("\n")[0]
    order = ("\t", ",", ";", "|") if extensions & {"tsv", "tab"} else DELIMITERS
    found = [delimiter for delimiter in order if delimiter in header] or [order[0]]
    quotings = ["doubled", *(["escaped"] if '\\"' in sample else [])]
    best, fitness = _best(sample, found, quotings)
    if fitness >= MOSTLY:
        return best
    return _best(sample, found, [*quotings, "none"])[0]


def _best(sample: str, delimiters: Sequence[str], quotings: Sequence[str]) -> tuple[Dialect, float]:
    """The first of the dialects that fit best, and the share of the rows that fit it."""
    header = sample.partition("\n")[0]
    candidates = [
        Dialect(delimiter, quoting, header.count(delimiter) == header.count(delimiter + " ") > 0)
        for delimiter in delimiters
        for quoting in quotings
    ]
    scored = [(_fitness(dialect, sample), dialect) for dialect in candidates]
    (fitness, _), best = max(scored, key=lambda pair: pair[0])
    return best, fitness


def is_separated(sample: str, text_column: str) -> bool:
    """True if a text is separated values beyond doubt, though its name does not say so.

    Its header is two names or more without spaces, all different, and every row of the sample is as long. There are
    five rows or more, unless the header names the text.
    """
    first = sample.partition("\n")[0].strip()
    if not any(delimiter in first and _are_names(first.split(delimiter)) for delimiter in DELIMITERS):
        return False
    dialect = find_dialect(sample, set())
    rows = list(_sample_rows(dialect, sample))
    if not rows or rows[0] is None or len(rows[0]) < 2:
        return False
    header = rows[0]
    if not _are_names(header):
        return False
    named = {name.strip() for name in header}
    enough = 0 if {text_column, text_column.partition(".")[0]} & named else ENOUGH_ROWS
    return len(rows) > enough and all(row is not None and len(row) == len(header) for row in rows)


def _are_names(header: list[str]) -> bool:
    names = [name.strip().strip('"') for name in header]
    return len(set(names)) == len(names) and all(map(_NAME.fullmatch, names))


def _fitness(dialect: Dialect, sample: str) -> tuple[float, int]:
    """Share of the rows that are as long as the header, and how long that is."""
    rows = list(_sample_rows(dialect, sample))
    if not rows or rows[0] is None:
        return 0.0, 0
    columns = len(rows[0])
    fitting = sum(row is not None and len(row) == columns for row in rows)
    return round(fitting / len(rows), 2), columns


def _sample_rows(dialect: Dialect, sample: str) -> Iterator[list[str] | None]:
    """Rows of the sample, None for each that breaks the rules; one that is open at its end is left out."""
    lines = sample.splitlines(keepends=True)
    whole = lines if sample.endswith("\n") or len(lines) < 2 else lines[:-1]
    reader = dialect.rows(iter(whole))
    for _ in range(SAMPLE_ROWS):
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return
            yield None
            continue
        if row:
            yield row
