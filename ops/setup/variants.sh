#!/bin/bash
# Runs `make demo` for real on machines that are not as they should be, and prints what became of each: a table.
# As root, on a scratch machine, with a plain user to run as:   bash ops/setup/variants.sh USER [FOLDER]
set -u
user=${1:?whom to run as}
folder=${2:-$(mktemp -d)}
root=$(cd "$(dirname "$0")/../.." && pwd)
checkout="$folder/订单 中心 1"
orders="ARGS='--orders 200'"
clean='Every order is accounted for'
failed=0

as() { # the rest of its words are a shell line
  su "$user" -c "cd '$checkout' && umask 077 && $1" >"$folder/said" 2>&1
}

row() { # NAME, the line, what it must say: the demo ran clean, or what to do
  local began=$SECONDS result=ok
  as "$2"
  local code=$?
  grep -qE "$3" "$folder/said" || { result=FAILED; failed=1; cp "$folder/said" "$folder/failed-$1"; }
  printf '%-34s %-7s exit %-3s %4s s  %s\n' "$1" "$result" "$code" "$((SECONDS - began))" "$3"
}

chmod 755 "$folder"
rm -rf "$checkout"
git clone -q "$root" "$checkout"
chown -R "$user" "$checkout"

row plain-user-blanks-chinese-umask "make demo $orders" "$clean"
row python-too-old "PATH=/nowhere:\$PATH make setup PYTHON=/bin/false" '需要 Python 3.11'
row python-missing "make setup PYTHON=python3.99" '本机没有'
row half-made-python-gone "ln -sf /nowhere .venv/bin/python && make setup && .venv/bin/orderfleet --version" '^orderfleet '
row half-made-without-pip "rm -rf .venv/lib/*/site-packages/pip .venv/.ready && make setup && .venv/bin/orderfleet --version" '^orderfleet '
row killed-in-the-middle "rm -rf .venv; setsid make setup >/dev/null 2>&1 & group=\$!; sleep 8; kill -9 -- -\$group; make setup && .venv/bin/orderfleet --version" '^orderfleet '
row two-at-once "rm -rf .venv; make setup & make setup; wait; .venv/bin/orderfleet --version" '^orderfleet '
row moved-checkout "mkdir -p moved && git clone -q . moved/x && mv .venv moved/x/ && cd moved/x && make setup && .venv/bin/orderfleet --version && mv .venv ../.. && cd ../.. && make setup" '^orderfleet '
row read-only-checkout "chmod a-w . && rm -rf /tmp/venv-$user; make setup VENV=.venv2; make setup VENV=/tmp/venv-$user && make demo $orders VENV=/tmp/venv-$user; chmod u+w ." "$clean"
row proxies-set "HTTP_PROXY=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9 ALL_PROXY=socks5://127.0.0.1:9 make demo $orders" "$clean"
row locale-C "LC_ALL=C LANG=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 make demo $orders" "$clean"
row output-ascii "PYTHONIOENCODING=ascii ORDERFLEET_LANG=zh make demo $orders | cat" "accounted for|每一单|每个订单|exactly once|\?\?"
row no-home "env -u HOME make demo $orders" "$clean"
row home-not-there "HOME=/nowhere/at/all make demo $orders" "$clean"
row long-tmpdir "mkdir -p /tmp/$user-$(printf 'x%.0s' $(seq 120)) && TMPDIR=/tmp/$user-$(printf 'x%.0s' $(seq 120)) make demo $orders" "$clean"
row pip-user-and-target-set "rm -rf .venv; PIP_USER=1 PIP_TARGET=/nowhere make setup && .venv/bin/orderfleet --version" '^orderfleet '
row without-ensurepip "rm -rf .venv; printf 'raise ImportError(name=\"ensurepip\")' > /tmp/$user-x; sh -c 'python3 -I -S -c \"import sys; sys.modules[\\\"ensurepip\\\"]=None; sys.argv=[\\\"x\\\",\\\".venv\\\",\\\"requirements.lock\\\"]; import runpy; runpy.run_path(\\\"ops/setup/environment.py\\\", run_name=\\\"__main__\\\")\"'" 'python3-venv'
exit $failed
