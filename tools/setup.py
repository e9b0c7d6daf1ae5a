"""Set up .venv with the pinned packages and mobsim itself: `python3 tools/setup.py [--test | --bench]`.

Does nothing when .venv already holds what the lock and pyproject.toml say. `--test` adds the test tools.
`--bench` sets up .venv-bench instead: the same packages, and the programs that `make bench` measures beside
mobsim. What of these cannot be installed is left out and named in .venv-bench/missing.json.
Any Python 3.6 or newer can read it, so that an old one can say what is missing.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import venv

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WINDOWS = os.name == "nt"
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


def python_of(room):
    """Return the path of the Python of a virtual environment."""
    return os.path.join(room, "Scripts", "python.exe") if WINDOWS else os.path.join(room, "bin", "python")


def version_of(room):
    """Return the Python version of a virtual environment as (major, minor), or None if it cannot be used."""
    try:
        with open(os.path.join(room, "pyvenv.cfg"), encoding="utf-8") as file:
            found = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", file.read(), re.MULTILINE)
    except OSError:
        return None
    return (int(found.group(1)), int(found.group(2))) if found and os.path.exists(python_of(room)) else None


def make_room(room):
    """Make a virtual environment, afresh if it was made by another Python."""
    if version_of(room) == sys.version_info[:2]:
        return
    if importlib.util.find_spec("ensurepip") is None:
        stop(
            "this Python cannot make a virtual environment with pip (it has no ensurepip); "
            "on Debian or Ubuntu: sudo apt install python3-venv"
        )
    name = os.path.basename(room)
    print(f"Making {name} with Python {sys.version_info[0]}.{sys.version_info[1]}", flush=True)
    venv.EnvBuilder(clear=True, with_pip=True, symlinks=not WINDOWS).create(room)


def pip_command(room, *what):
    """Return the command that installs something into a virtual environment."""
    return [python_of(room), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]


def pip_install(room, *what):
    """Install into a virtual environment, or stop with a sentence under what pip said."""
    if subprocess.call(pip_command(room, *what), cwd=TOP) != 0:
        stop("pip could not install what requirements/ pins; its own message is above")


def install_lock(room, lock):
    """Install the packages that a lock pins."""
    with open(os.path.join(TOP, lock), encoding="utf-8") as file:
        n_packages = sum("==" in text for text in file)
    print(f"Installing the {n_packages} packages that {lock} pins", flush=True)
    pip_install(room, "--require-hashes", "--only-binary", ":all:", "--requirement", lock)


def install_mobsim(room):
    """Install this folder, so that a change of it counts at once."""
    pip_install(room, "--no-deps", "--no-build-isolation", "--editable", ".")


def peers():
    """Return what pyproject.toml asks for under `bench`, as {name: requirement}."""
    with open(os.path.join(TOP, "pyproject.toml"), encoding="utf-8") as file:
        listed = re.search(r"^bench = \[\n(.*?)^\]", file.read(), re.MULTILINE | re.DOTALL).group(1)
    wanted = re.findall(r'^\s*"([^"]+)"', listed, re.MULTILINE)
    return {re.match(r"[\w.-]+", text).group(): text for text in wanted}


def pins_of(lock):
    """Return the pinned versions of a lock as constraints without hashes."""
    with open(os.path.join(TOP, lock), encoding="utf-8") as file:
        return [
            line.split("\\")[0].split("--hash")[0].strip() for line in file if re.match(r"[\w.-]+==", line)
        ]


def install_peers(room, lock):
    """Install the programs measured beside mobsim, by the lock or else one by one; return what is missing.

    Parameters
    ----------
    room : the virtual environment, which holds mobsim's own packages already.
    lock : the lock of all of them.

    Returns
    -------
    dict of name : why it could not be installed.
    """
    whole = pip_command(room, "--require-hashes", "--only-binary", ":all:", "--requirement", lock)
    print(f"Installing {', '.join(peers())} as {lock} pins them", flush=True)
    if subprocess.run(whole, cwd=TOP, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return {}
    missing = {}
    pins = os.path.join(room, "pins.txt")
    with open(pins, "w", encoding="utf-8") as file:
        file.write("\n".join(pins_of(lock)))
    for name, wanted in peers().items():
        command = pip_command(room, "--constraint", pins, wanted)
        tried = subprocess.run(command, cwd=TOP, stderr=subprocess.PIPE, text=True, check=False)
        if tried.returncode != 0:
            said = [line for line in tried.stderr.splitlines() if line.startswith("ERROR")]
            missing[name] = said[-1][7:] if said else f"pip ended with {tried.returncode}"
            print(f"mobsim: {name} is left out: {missing[name]}", flush=True)
    return missing


def digest_of(lock):
    """Digest what decides what a room holds: lock, pyproject.toml, the Python and where this folder is."""
    digest = hashlib.sha256(repr((sys.version_info[:2], TOP)).encode())
    for name in (lock, "pyproject.toml"):
        with open(os.path.join(TOP, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def is_done(stamp, digest):
    """Return whether a room was last set up for this digest and still stands."""
    try:
        with open(stamp, encoding="ascii") as file:
            return file.read() == digest and os.path.exists(python_of(os.path.dirname(stamp)))
    except OSError:
        return False


def write_stamp(stamp, digest):
    """Note for what a room was set up."""
    with open(stamp, "w", encoding="ascii") as file:
        file.write(digest)


def set_up_bench(line):
    """Set up .venv-bench: mobsim as users have it, and the programs that are measured beside it."""
    room = os.path.join(TOP, ".venv-bench")
    lock = f"requirements/bench-{line}.txt"
    stamp = os.path.join(room, "mobsim-bench.stamp")
    if is_done(stamp, digest_of(lock)):
        return
    make_room(room)
    install_lock(room, f"requirements/{line}.txt")
    missing = install_peers(room, lock)
    install_mobsim(room)
    with open(os.path.join(room, "missing.json"), "w", encoding="utf-8") as file:
        json.dump(missing, file)
    if not missing:  # what is missing is tried again next time
        write_stamp(stamp, digest_of(lock))


def set_up(line, wants_tests):
    """Set up .venv: mobsim, and the tools of the tests if wanted."""
    room = os.path.join(TOP, ".venv")
    locks = {"test": f"requirements/test-{line}.txt", "run": f"requirements/{line}.txt"}
    stamps = {kind: os.path.join(room, f"mobsim-{kind}.stamp") for kind in locks}
    done = [kind for kind in locks if is_done(stamps[kind], digest_of(locks[kind]))]
    if "test" in done or ("run" in done and not wants_tests):
        return
    make_room(room)
    kind = "test" if wants_tests else "run"
    install_lock(room, locks[kind])
    install_mobsim(room)
    for other in stamps.values():
        if os.path.exists(other):
            os.remove(other)
    write_stamp(stamps[kind], digest_of(locks[kind]))


def main():
    """Set up what is missing."""
    if sys.version_info[:2] < OLDEST:
        run_with_a_newer_python()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--test", action="store_true", help="also install the tools of the tests")
    choice.add_argument(
        "--bench", action="store_true", help="set up .venv-bench with the programs of make bench"
    )
    chosen = parser.parse_args()

    line = "py311" if sys.version_info[:2] == (3, 11) else "py312"
    if chosen.bench:
        set_up_bench(line)
    else:
        set_up(line, chosen.test)


if __name__ == "__main__":
    main()
