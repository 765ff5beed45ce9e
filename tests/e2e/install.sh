#!/bin/sh
# Installs a real Rasa into the folder that is given. It cannot share an environment with the
# bridge (its pins are of 2022), and runs on Python 3.10 at the newest.
set -eu

pins=$(dirname "$0")/constraints.txt

is_310() {
    [ -n "$1" ] && "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null
}

of_pyenv() {
    latest=$(pyenv latest 3.10 2>/dev/null) || return 0
    PYENV_VERSION=$latest pyenv which python3.10 2>/dev/null || return 0
}

python310() {
    if [ -n "${PYTHON310:-}" ]; then
        is_310 "$PYTHON310" && echo "$PYTHON310" && return
        echo "PYTHON310 is $PYTHON310, which is no Python 3.10 that runs" >&2
        return 1
    fi
    for each in python3.10 "$(of_pyenv)"; do
        is_310 "$each" && echo "$each" && return
    done
    echo "A real Rasa 3.6 needs Python 3.10, and there is none: no python3.10 that runs, none of" >&2
    echo "pyenv's. Install it (pyenv install 3.10), or name it: make e2e PYTHON310=/path/to/it" >&2
    return 1
}

python=$(python310)
rm -rf "$1" # of an installation that was broken off
"$python" -m venv "$1"
echo "Installing a Rasa into $1: about 2.7 GB, a few minutes"
# First what builds the packages that come as sources.
"$1/bin/pip" install --quiet --disable-pip-version-check -c "$pins" pip setuptools wheel
"$1/bin/pip" install --quiet --disable-pip-version-check -c "$pins" rasa
"$1/bin/pip" check
