"""Errors that speak to the user: one sentence saying where, what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class MobsimError(Exception):
    """Root of every error a user can cause; the command line prints its text and exits with 2."""

    exit_code = 2


class ScenarioError(MobsimError):
    """A scenario file, or a file it names, cannot be used as it stands."""


class UsageError(MobsimError):
    """A public function or a command was called with something it does not allow."""


class ResultsError(MobsimError):
    """Results cannot be written or read; what was there before is untouched."""

    exit_code = 1


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest allowed word, or an empty string.

    Parameters
    ----------
    word : the word that was found.
    allowed : the words that would have been right.

    Examples
    --------
    >>> nearest("outreech", ["outreach", "training"])
    "; did you mean 'outreach'?"
    >>> nearest("zzz", ["outreach"])
    ''
    """
    close = get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def needs_extra(extra: str, what: str) -> UsageError:
    """Return the error for something that needs packages of an extra that are not installed.

    Parameters
    ----------
    extra : name of the extra, such as dask.
    what : what needs it.

    Examples
    --------
    >>> print(needs_extra("dask", "a sweep on a Dask cluster"))
    a sweep on a Dask cluster needs: pip install "mobsim[dask]"
    """
    return UsageError(f'{what} needs: pip install "mobsim[{extra}]"')
