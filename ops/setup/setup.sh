#!/bin/sh
# Finds a Python and has ops/setup/environment.py make the environment.
#
#   sh ops/setup/setup.sh PYTHON ENVIRONMENT LOCK [MODULE]
#
# PYTHON: the one to use, "" for the best one on the PATH. MODULE: what `ENVIRONMENT/bin/orderfleet` runs, if anything.
set -eu

works() { # Python 3.11 or newer; $2: with what else it must have
  "$1" -c "import sys; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1 && "$1" -c "$2" >/dev/null 2>&1
}

refuse() {
  printf '%s\n' "$@" >&2
  exit 2
}

python=$1
shift
if [ -n "$python" ]; then
  if ! command -v "$python" >/dev/null 2>&1; then
    refuse "There is no '$python' on this machine. Leave PYTHON away, or give it the path of Python 3.11 or newer." \
      "本机没有“$python”。请去掉 PYTHON，或将其设为 Python 3.11 及以上版本的路径。"
  fi
  if ! works "$python" pass; then
    refuse "'$python' is $("$python" --version 2>&1 | head -n 1), but orderfleet needs Python 3.11 or newer: leave PYTHON away, or give it another." \
      "“$python”是 $("$python" --version 2>&1 | head -n 1)，而 orderfleet 需要 Python 3.11 及以上版本：请去掉 PYTHON 或另行指定。"
  fi
  exec "$python" -X utf8 -I ops/setup/environment.py --chosen "$@"
fi

for needs in 'import ensurepip, ssl, zlib' pass; do
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if works "$candidate" "$needs"; then
      exec "$candidate" -X utf8 -I ops/setup/environment.py "$@"
    fi
  done
done
found="no python3"
if command -v python3 >/dev/null 2>&1; then found=$(python3 --version 2>&1 | head -n 1); fi
refuse "orderfleet needs Python 3.11 or newer, and the PATH has none ($found). Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python), or say where it is: make PYTHON=/path/to/python3 ..." \
  "orderfleet 需要 Python 3.11 及以上版本，而 PATH 中没有（$found）。请安装（Debian、Ubuntu：apt install python3 python3-venv；macOS：brew install python），或指明路径：make PYTHON=/path/to/python3 ..."
