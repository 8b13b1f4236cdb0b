# Tools that the suites need, installed into the cache folder. Sourced, not run.

cache="${MANTISSA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mantissa}"
mkdir -p "$cache"

# A Python environment of its own: drivers and tools with pinned versions.
python_env() {
  local env="$cache/python"
  if ! [ -x "$env/bin/python" ]; then python3 -m venv "$env"; fi
  local wanted="$1" stamp
  stamp="$env/.$(sha256sum "$wanted" | cut -c1-16)"
  if ! [ -e "$stamp" ]; then
    "$env/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted" && touch "$stamp" || return 1
  fi
  PATH="$env/bin:$PATH"
}

# tool NAME: puts a command on the path.
tool() {
  command -v "$1" >/dev/null 2>&1 && return
  python_env tests/lib/tools.txt
  command -v "$1" >/dev/null 2>&1 || { echo "tests: $1 is missing and could not be installed" >&2; return 1; }
}

# PostgreSQL 15 or later, the oracle: found where Debian puts it, or on the path.
postgres_bin() {
  local bin
  for bin in /usr/lib/postgresql/*/bin; do
    if [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ]; then echo "$bin"; fi
  done | sort -V | tail -1
}

# need_postgres: exports MANTISSA_PG_BIN. On CI it installs the Debian package where it is missing.
need_postgres() {
  local bin
  bin="$(postgres_bin)"
  if [ -z "$bin" ] && [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql postgresql-client >/dev/null
    bin="$(postgres_bin)"
  fi
  [ -n "$bin" ] || return 1
  export MANTISSA_PG_BIN="$bin"
}
