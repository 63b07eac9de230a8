"""Every error and warning that drugsig raises on purpose.

::

    DrugsigError
    ├── InputError (ValueError)       what was given cannot be used
    │   ├── ReadError                 a file cannot be read as what it should be
    │   │   ├── TableError            a cell, a row or a column of a table is at fault
    │   │   └── RunError              a file of a run is damaged, unsuitable or not supported
    │   ├── MetadataError             metadata that contradict each other or are missing
    │   ├── TargetMismatchError       profile sets that measure different targets
    │   ├── UnknownNameError (KeyError)  a name that no registry, table or set knows
    │   ├── RecipeError               a pretreatment that cannot be written so, or not applied
    │   ├── ComparisonError           scores that cannot be formed
    │   ├── PopulationError           pairs of known source that cannot be formed
    │   ├── ThresholdError            a threshold that cannot be learned or used
    │   ├── ModelMismatchError        profiles of another kind than a model was fitted to
    │   ├── GroupingError             profiles that cannot be grouped so
    │   └── ConfigError               an analysis file that cannot be run
    ├── NotIterableError (TypeError)  a result that is not gone through one by one
    ├── SizeError (MemoryError)       more memory or more output than was allowed
    │   └── ComponentSizeError        a component of links too large to be grouped
    ├── ClusterError (ConnectionError)  a cluster that cannot be reached or cannot do the work
    ├── OutputError (OSError)         results that cannot be written where they should be
    └── MissingExtraError (ImportError)   an optional package that is not installed

    DrugsigWarning (UserWarning)
    ├── SmallSampleWarning            too few sources or pairs for the figure beside it
    ├── UndefinedScoreWarning         scores that have no value
    ├── ImputationWarning             values put in place of what was not detected
    ├── CircularRuleWarning           a population rule that looks at the profile itself
    ├── DataWarning                   data or choices that are probably not what was meant
    ├── ChainingWarning               groups that depend on how links are chained
    └── UnsuitableRunWarning          a run or a trace that may not be what profiles are made of

A message says what failed, what it got, where, and what to do next. The facts in it are
also attributes, so that a program can act on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "ChainingWarning",
    "CircularRuleWarning",
    "ClusterError",
    "ComparisonError",
    "ComponentSizeError",
    "ConfigError",
    "DataWarning",
    "DrugsigError",
    "DrugsigWarning",
    "GroupingError",
    "ImputationWarning",
    "InputError",
    "MetadataError",
    "MissingExtraError",
    "ModelMismatchError",
    "NotIterableError",
    "OutputError",
    "PopulationError",
    "ReadError",
    "RecipeError",
    "RunError",
    "SizeError",
    "SmallSampleWarning",
    "TableError",
    "TargetMismatchError",
    "ThresholdError",
    "UndefinedScoreWarning",
    "UnknownNameError",
    "UnsuitableRunWarning",
]


class DrugsigError(Exception):
    """The base of every error that drugsig raises on purpose."""


class InputError(DrugsigError, ValueError):
    """What was given cannot be used."""


class ReadError(InputError):
    """A file cannot be read as what it should be.

    Parameters
    ----------
    message : str
        What failed, what was found and what to do next.
    path : path-like, optional
        The file.
    """

    def __init__(self, message: str, *, path: str | Path | None = None) -> None:
        super().__init__(message)
        self.path = None if path is None else Path(path)


class TableError(ReadError):
    """A cell, a row or a column of a table is at fault.

    Parameters
    ----------
    message : str
        What failed, what was found and what to do next.
    path : path-like, optional
        The file.
    line : int, optional
        The line of the file, or the row of the sheet, counted from 1.
    column : str, optional
        The heading of the column.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__(message, path=path)
        self.line = line
        self.column = column


class RunError(ReadError):
    """A file of a run is damaged, unsuitable, or of a kind that is not read.

    Parameters
    ----------
    message : str
        What failed, what was found and what to do next.
    path : path-like, optional
        The file or folder.
    reason : str
        In one word, for programs: ``"missing"`` (no such file), ``"empty"``, ``"damaged"`` (what
        it holds contradicts itself, or ends too early), ``"not_a_run"`` (something else
        altogether), ``"unsupported"`` (a run in a form that is not read), ``"unsuitable"`` (a run
        of another technique), ``"hostile"`` (a file made to do harm, or damaged so that it
        would), ``"limit"`` (reading it took more time or memory than was allowed).
    """

    def __init__(
        self, message: str, *, path: str | Path | None = None, reason: str = "damaged"
    ) -> None:
        super().__init__(message, path=path)
        self.reason = reason


class MetadataError(InputError):
    """Metadata contradict each other, or what is asked for is missing."""


class TargetMismatchError(InputError):
    """Two profile sets measure different targets.

    Parameters
    ----------
    message : str
        What failed and what to do next.
    only_in_a, only_in_b : sequence of str
        The targets that one set has and the other lacks.
    """

    def __init__(
        self, message: str, *, only_in_a: Sequence[str] = (), only_in_b: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.only_in_a = tuple(only_in_a)
        self.only_in_b = tuple(only_in_b)


class UnknownNameError(InputError, KeyError):
    """A name is not known where it was used.

    Parameters
    ----------
    message : str
        What failed; names the nearest known names.
    name : str
        What was asked for.
    known : sequence of str
        What there is.
    """

    def __init__(self, message: str, *, name: str, known: Sequence[str]) -> None:
        super().__init__(message)
        self.name = name
        self.known = tuple(known)

    def __str__(self) -> str:
        # A KeyError shows its message as if it were a key, in quotes and with escapes.
        return str(self.args[0])


class RecipeError(InputError):
    """A pretreatment cannot be written so, or cannot be applied to these profiles."""


class ComparisonError(InputError):
    """Scores cannot be formed from these profiles with this metric."""


class PopulationError(InputError):
    """Pairs of known source cannot be formed from these profiles with this rule."""


class ThresholdError(InputError):
    """A threshold cannot be learned from these pairs, or not be used here."""


class ModelMismatchError(InputError):
    """Profiles are of another kind than those that a model was fitted to.

    Parameters
    ----------
    message : str
        What failed and what to do next.
    differing : sequence of str
        In what they differ: ``"protocol"``, ``"pretreatment"``, ``"epoch"`` ...
    """

    def __init__(self, message: str, *, differing: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.differing = tuple(differing)


class GroupingError(InputError):
    """These profiles cannot be grouped in the way that was asked for."""


class ConfigError(InputError):
    """An analysis file cannot be run as it stands."""


class NotIterableError(DrugsigError, TypeError):
    """A result is not gone through one by one; the message says what is meant by it."""


class SizeError(DrugsigError, MemoryError):
    """The work would take more memory, or write more, than was allowed."""


class ComponentSizeError(SizeError):
    """A component of links is too large for the distances within it to be held.

    Parameters
    ----------
    message : str
        What failed and what to do next.
    largest : int
        How many profiles the component holds.
    allowed : int
        How many it may hold.
    threshold : float or None
        The most permissive threshold at which every component holds no more; None if there is
        none.
    largest_there : int or None
        How many profiles the largest component holds there.
    """

    def __init__(
        self,
        message: str,
        *,
        largest: int,
        allowed: int,
        threshold: float | None,
        largest_there: int | None,
    ) -> None:
        super().__init__(message)
        self.largest = largest
        self.allowed = allowed
        self.threshold = threshold
        self.largest_there = largest_there


class ClusterError(DrugsigError, ConnectionError):
    """A cluster cannot be reached, was lost, or cannot do the work."""


class OutputError(DrugsigError, OSError):
    """Results cannot be written where they should be."""


class MissingExtraError(DrugsigError, ImportError):
    """An optional package is not installed."""


class DrugsigWarning(UserWarning):
    """The base of every warning that drugsig gives on purpose."""


class SmallSampleWarning(DrugsigWarning):
    """Too few sources or pairs stand behind the figure that is given."""


class UndefinedScoreWarning(DrugsigWarning):
    """Scores have no value: a constant or empty profile, or too few targets in common."""


class ImputationWarning(DrugsigWarning):
    """Much of a profile was put in place of what was not detected."""


class CircularRuleWarning(DrugsigWarning):
    """The population rule uses a column that is itself derived from the profile."""


class DataWarning(DrugsigWarning):
    """The data, or a choice about them, are probably not what was meant."""


class ChainingWarning(DrugsigWarning):
    """The groups depend on whether links are chained."""


class UnsuitableRunWarning(DrugsigWarning):
    """A run or a trace was read that may not be what a profile can be made of."""
