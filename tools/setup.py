"""Set up .venv with the pinned packages and mobsim itself: `python3 tools/setup.py [--test]`.

Does nothing when .venv already holds what the lock and pyproject.toml say. `--test` adds the test tools.
Any Python 3.6 or newer can read it, so that an old one can say what is missing.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import venv

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOM = os.path.join(TOP, ".venv")
WINDOWS = os.name == "nt"
PYTHON = os.path.join(ROOM, "Scripts", "python.exe") if WINDOWS else os.path.join(ROOM, "bin", "python")
OLDEST = (3, 11)


def stop(sentence):
    """End with one sentence on the error stream."""
    sys.exit("mobsim: " + sentence)


def run_with_a_newer_python():
    """Start again with a newer Python of this machine, or say that one is needed."""
    for minor in (14, 13, 12, 11):
        other = shutil.which(f"python3.{minor}")
        if other and subprocess.call([other, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            sys.exit(subprocess.call([other, *sys.argv]))
    here = f"{sys.executable} is {sys.version_info[0]}.{sys.version_info[1]}"
    stop(f"Python 3.11 or newer is needed and {here}; install one, or name it: make demo PYTHON=python3.12")


def version_of(folder):
    """Return the Python version of a virtual environment as (major, minor), or None if it cannot be used."""
    try:
        with open(os.path.join(folder, "pyvenv.cfg"), encoding="utf-8") as file:
            found = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", file.read(), re.MULTILINE)
    except OSError:
        return None
    return (int(found.group(1)), int(found.group(2))) if found and os.path.exists(PYTHON) else None


def make_room():
    """Make .venv, afresh if it was made by another Python."""
    if version_of(ROOM) == sys.version_info[:2]:
        return
    if importlib.util.find_spec("ensurepip") is None:
        stop(
            "this Python cannot make a virtual environment with pip (it has no ensurepip); "
            "on Debian or Ubuntu: sudo apt install python3-venv"
        )
    print(f"Making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}", flush=True)
    venv.EnvBuilder(clear=True, with_pip=True, symlinks=not WINDOWS).create(ROOM)


def pip_install(*what):
    """Install into .venv, or stop with a sentence under what pip said."""
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]
    if subprocess.call(command, cwd=TOP) != 0:
        stop("pip could not install what requirements/ pins; its own message is above")


def digest_of(lock):
    """Digest what decides what .venv holds: the lock, pyproject.toml, the Python and where this folder is."""
    digest = hashlib.sha256(repr((sys.version_info[:2], TOP)).encode())
    for name in (lock, "pyproject.toml"):
        with open(os.path.join(TOP, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def is_done(stamp, digest):
    """Return whether .venv was last set up for this digest and still stands."""
    try:
        with open(stamp, encoding="ascii") as file:
            return file.read() == digest and os.path.exists(PYTHON)
    except OSError:
        return False


def main():
    """Set up what is missing."""
    if sys.version_info[:2] < OLDEST:
        run_with_a_newer_python()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--test", action="store_true", help="also install the tools of the tests")
    wants_tests = parser.parse_args().test

    line = "py311" if sys.version_info[:2] == (3, 11) else "py312"
    locks = {"test": f"requirements/test-{line}.txt", "run": f"requirements/{line}.txt"}
    stamps = {kind: os.path.join(ROOM, f"mobsim-{kind}.stamp") for kind in locks}
    done = [kind for kind in locks if is_done(stamps[kind], digest_of(locks[kind]))]
    if "test" in done or ("run" in done and not wants_tests):
        return

    make_room()
    kind = "test" if wants_tests else "run"
    with open(os.path.join(TOP, locks[kind]), encoding="utf-8") as file:
        n_packages = sum("==" in text for text in file)
    print(f"Installing the {n_packages} packages that {locks[kind]} pins", flush=True)
    pip_install("--require-hashes", "--only-binary", ":all:", "--requirement", locks[kind])
    pip_install("--no-deps", "--no-build-isolation", "--editable", ".")
    for other in stamps.values():
        if os.path.exists(other):
            os.remove(other)
    with open(stamps[kind], "w", encoding="ascii") as file:
        file.write(digest_of(locks[kind]))


if __name__ == "__main__":
    main()
