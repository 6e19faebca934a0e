#!/bin/sh
# Makes or renews .venv from a hashed lock file: "environment.sh runtime", "dev" or "browser".
# Called by make; does nothing, quickly and in silence, when .venv already stands for that lock.
set -eu
cd "$(dirname "$0")"

case "${1:-}" in
    runtime) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    browser) lock=requirements-browser.lock ;;
    *) echo "usage: environment.sh runtime|dev|browser" >&2; exit 2 ;;
esac
python=.venv/bin/python
stamp=".venv/made-from-$lock"

say() { echo "carbonline: $*" >&2; }
fail() { say "$*"; exit 1; }

# What an environment depends on: where it stands (scripts in it hold its path), what is locked,
# and how the project is declared.
wanted() {
    pwd
    cat "$lock"
    sed -n '/^\[build-system\]/,/^\[tool\.ruff\]/p' pyproject.toml
}

# Prints the command of the first Python that is new enough and can make environments.
find_python() {
    able=""
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3; do
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        able=${able:-$candidate}
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    if [ -z "$able" ]; then
        fail "Python 3.11 or newer is needed and none was found" \
            "(looked for python3.13, python3.12, python3.11, python3)."
    fi
    case "$able" in
        python3.1?) package="$able-venv" ;;
        *) package=python3-venv ;;
    esac
    fail "$able lacks the module that makes environments: apt install $package"
}

make_empty_environment() {
    found=$(find_python)
    rm -rf .venv
    "$found" -m venv .venv || fail "$found could not make .venv"
}

pip_install() {
    "$python" -m pip --disable-pip-version-check --no-input install --quiet "$@"
}

if [ -f "$stamp" ] && wanted | cmp -s - "$stamp"; then
    exit 0
fi

if ! "$python" -m pip --version >/dev/null 2>&1 ||
    { [ -f .venv/made-at ] && [ "$(cat .venv/made-at)" != "$(pwd)" ]; }; then
    make_empty_environment
fi
pwd >.venv/made-at
say "installing $(grep -c '==' "$lock") packages of $lock into .venv (a minute or two, once) ..."
began=$(date +%s)
pip_install --require-hashes --only-binary :all: --requirement "$lock" ||
    fail "the packages could not be installed; pip says why above"
# The project itself: its build tools are in the lock, so nothing unhashed is fetched.
pip_install --no-deps --no-build-isolation --editable . ||
    fail "the project could not be installed; pip says why above"
wanted >"$stamp"
say "the environment is ready after $(($(date +%s) - began)) s."
