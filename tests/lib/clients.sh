# Clients that the end-to-end suites drive, installed into the cache folder. Sourced after tools.sh, not run.
# What cannot be had here is left out: the suite of that client then says so by name, and fails on CI.

# Debian's packages are installed where the suites run as root on CI; elsewhere a person decides.
debian_package() {
  dpkg -s "$1" >/dev/null 2>&1 && return
  [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] || return 0
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null 2>&1 && return
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
}

# psycopg, asyncpg, SQLAlchemy, pyodbc and the runner itself.
python_clients() {
  python_env tests/lib/python.txt
}

# psqlODBC; its driver is named by path, so no configuration of the machine is touched.
odbc_client() {
  debian_package unixodbc
  debian_package odbc-postgresql
}

# node-postgres: exports MANTISSA_NODE_MODULES.
node_client() {
  if ! command -v npm >/dev/null 2>&1; then debian_package npm; fi
  command -v npm >/dev/null 2>&1 || return 0
  local folder="$cache/node" stamp
  stamp="$folder/.$(sha256sum tests/clients/node/package-lock.json | cut -c1-16)"
  if ! [ -e "$stamp" ]; then
    mkdir -p "$folder"
    cp tests/clients/node/package.json tests/clients/node/package-lock.json "$folder/"
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >/dev/null) && touch "$stamp" || return 1
  fi
  export MANTISSA_NODE_MODULES="$folder/node_modules"
}

# pgjdbc: exports MANTISSA_PGJDBC, the driver's jar.
jdbc_client() {
  if ! command -v javac >/dev/null 2>&1; then debian_package default-jdk-headless; fi
  if ! command -v mvn >/dev/null 2>&1; then debian_package maven; fi
  command -v mvn >/dev/null 2>&1 || return 0
  local artifact version
  artifact="$(cat tests/lib/pgjdbc.txt)"
  version="${artifact##*:}"
  export MANTISSA_PGJDBC="$cache/maven/org/postgresql/postgresql/$version/postgresql-$version.jar"
  [ -e "$MANTISSA_PGJDBC" ] && return
  mvn -q -B dependency:get -Dartifact="$artifact" -Dtransitive=false -Dmaven.repo.local="$cache/maven" >/dev/null
}
