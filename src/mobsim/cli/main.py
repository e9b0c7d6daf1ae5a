"""The entry point of the command line: finds the command, and turns every mistake into one sentence.

stdout is data, stderr is messages. Exit codes: 0 done, 1 failure, 2 wrong use or an invalid scenario,
3 finished with failed runs, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mobsim.errors import MobsimError

if TYPE_CHECKING:
    import typer

COMMANDS = (
    "compare",
    "run",
    "sweep",
    "calibrate",
    "analyze",
    "diffusion",
    "check",
    "new",
    "scenarios",
    "schema",
    "export",
    "merge",
    "rerun",
    "verify",
)
"""The commands in the order of the help. Each is the function of that name in mobsim.cli.<name>; it imports
what is heavy inside itself."""

HELP = """Compare strategies that mobilize a community under a budget.

\b
  mobsim scenarios                        which scenarios come with mobsim
  mobsim compare vaccination_district     which strategy does more for the money
  mobsim new my_village                   start a scenario of your own
  mobsim check my_village.yaml            is it right?
  mobsim sweep design.yaml                many settings: what depends on what?

Every command explains itself: mobsim compare --help
"""

INTERRUPTED = 130

MANY_OBJECTS = 200_000
"""New objects after which Python looks for garbage again; its 700 cost a command a tenth of its time."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : the words after `mobsim`; none: those of this process, which ends with the command.
    """
    if argv is not None:
        return _run(argv)
    gc.set_threshold(MANY_OBJECTS)
    try:
        return _run(sys.argv[1:])
    finally:
        gc.freeze()  # else Python looks through all that was loaded once more before it ends: half a second


def _run(argv: Sequence[str]) -> int:
    words = list(argv) or ["--help"]
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    _let_every_letter_print()
    try:
        code = _command_line()(args=words, prog_name="mobsim", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if debug:
            traceback.print_exc()
        code = _explain(error)
    if code == INTERRUPTED:
        _say("interrupted")
    return code if isinstance(code, int) else 0


def _command_line() -> typer.Typer:
    import typer

    application = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    @application.callback(help=HELP)
    def _every_command(
        version: bool = typer.Option(
            False, "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
        debug: bool = typer.Option(False, "--debug", help="Show where in the program an error arose."),
    ) -> None:
        pass

    for name in COMMANDS:
        module = import_module(f"mobsim.cli.{name}")
        command = getattr(module, name)
        if isinstance(command, typer.Typer):
            application.add_typer(command, name=name)
        else:
            application.command(name)(command)
    return application


def _print_version(wanted: bool) -> None:
    if wanted:
        import typer

        from mobsim import __version__

        typer.echo(f"mobsim {__version__}")
        raise typer.Exit


def _explain(error: Exception) -> int:
    """Say in one sentence what went wrong and return the exit code."""
    if isinstance(error, MobsimError):
        _say(str(error))
        return error.exit_code
    if hasattr(error, "format_message"):  # the command line library: a wrong option, a missing argument
        _say(f"mobsim: {_one_sentence(error)}")
        return int(getattr(error, "exit_code", 2))
    if type(error).__name__ == "Abort":
        return INTERRUPTED
    if isinstance(error, MemoryError):
        _say("mobsim: there is not enough memory; take fewer residents or fewer replicates")
        return 1
    _say(f"mobsim: unexpected {type(error).__name__}: {error}; --debug shows where, and a report is welcome")
    return 1


def _one_sentence(error: Any) -> str:
    text = " ".join(str(error.format_message()).split()).rstrip(".")
    return text[:1].lower() + text[1:]


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def _let_every_letter_print() -> None:
    """Replace letters that an old console cannot show instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
