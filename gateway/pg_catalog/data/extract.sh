#!/usr/bin/env bash
# Writes catalog.tsv.zst: the rows that a fresh PostgreSQL 15 has in its system catalogs.
#
# Needs PostgreSQL 15 and zstd. Starts a private server in a temporary directory, as a user other than root, and removes it.
# Sentences (descriptions of objects and settings, bodies of SQL functions, parsed view trees) stay behind: only facts
# that a client can ask for are kept. An expression that PostgreSQL stores as a parsed tree is kept as it prints it.
#
# Format: sections "\x01schema.relation<TAB>column<TAB>...", each followed by its rows in COPY's text format.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
port=${PG_PORT:-54394}
work=$(mktemp -d)
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
if [ "$(id -u)" = 0 ]; then chown postgres "$work"; fi

stop() { as "$bin/pg_ctl" -D "$work/data" -m immediate -s stop || true; rm -rf "$work"; }
trap stop EXIT

cd "$work"
as "$bin/initdb" -D "$work/data" -U postgres --locale=C.UTF-8 -E UTF8 >/dev/null 2>&1
as "$bin/pg_ctl" -D "$work/data" -s -w -l "$work/log" -o "-p $port -k $work -c listen_addresses= -c fsync=off" start

sql() { as "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$work" -p "$port" -U postgres -d template1 "$@"; }
sql <"$here/release.sql"

# One line a relation: name, list of columns, list of expressions to select.
relations() {
    sql -F '|' <<'SQL'
WITH kept(relation, condition) AS (VALUES
    ('pg_database', 'false'), ('pg_statistic', 'false'), ('pg_description', 'false'), ('pg_shdescription', 'false')),
replaced(relation, attribute, expression) AS (VALUES
    ('pg_proc', 'prosrc', 'CASE WHEN prolang = 14 THEN '''' ELSE prosrc END'),
    ('pg_proc', 'prosqlbody', 'NULL'),
    ('pg_proc', 'proargdefaults', 'pg_get_expr(proargdefaults, 0)'),
    ('pg_type', 'typdefaultbin', 'pg_get_expr(typdefaultbin, 0)'),
    ('pg_index', 'indexprs', 'pg_get_expr(indexprs, indrelid)'),
    ('pg_index', 'indpred', 'pg_get_expr(indpred, indrelid)'),
    ('pg_constraint', 'conbin', 'pg_get_expr(conbin, conrelid)'),
    ('pg_rewrite', 'ev_action', ''''''),
    -- From 15.19 or 15.20 on, PostgreSQL keeps a log position here for its own use.
    ('pg_attribute', 'attoptions',
        'nullif(ARRAY(SELECT o FROM unnest(attoptions) o WHERE o NOT LIKE ''pg\_attver=%''), ''{}'')'),
    ('pg_authid', 'rolpassword', 'NULL'),
    ('pg_class', 'relpages', '0'), ('pg_class', 'relallvisible', '0'), ('pg_class', 'relfrozenxid', '0'),
    ('pg_class', 'relminmxid', '0'))
SELECT n.nspname || '.' || c.relname,
       string_agg(quote_ident(a.attname), E'\t' ORDER BY a.attnum),
       string_agg(coalesce(r.expression, quote_ident(a.attname) || CASE a.atttypid::regtype::text WHEN 'regproc'
           THEN '::oid' ELSE '' END), ', ' ORDER BY a.attnum),
       coalesce(k.condition, 'true')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN kept k ON k.relation = c.relname
LEFT JOIN replaced r ON r.relation = c.relname AND r.attribute = a.attname
WHERE c.relkind = 'r' AND n.nspname IN ('pg_catalog', 'information_schema')
GROUP BY n.nspname, c.relname, k.condition
ORDER BY c.relname <> 'pg_attribute', 1;
SQL
}

# Rows of functions and of views over them.
functions=(
    "pg_catalog.pg_get_keywords|word	catcode	barelabel	catdesc	baredesc|*|pg_get_keywords()|word"
    "pg_catalog.pg_settings|name	unit	category	context	vartype	min_val	max_val	enumvals	boot_val|name, unit, category, context, vartype, min_val, max_val, enumvals, boot_val|pg_settings|name"
    "pg_catalog.pg_timezone_abbrevs|abbrev	utc_offset	is_dst|*|pg_timezone_abbrevs|abbrev"
    "pg_catalog.pg_timezone_names|name|name|pg_timezone_names WHERE name !~ '^posix'|name"
    "pg_catalog.pg_encodings|encoding	name|i, pg_encoding_to_char(i)|generate_series(0, 41) i|i"
)

{
    # In the order in which the rows stand in the table: that is how they come where nobody asks for another.
    while IFS='|' read -r relation columns expressions condition; do
        printf '\001%s\t%s\n' "$relation" "$columns"
        sql -c "COPY (SELECT $expressions FROM $relation WHERE $condition ORDER BY ctid) TO STDOUT"
    done < <(relations)
    for function in "${functions[@]}"; do
        IFS='|' read -r relation columns expressions source order <<<"$function"
        printf '\001%s\t%s\n' "$relation" "$columns"
        sql -c "COPY (SELECT $expressions FROM $source ORDER BY $order) TO STDOUT"
    done
} >"$work/catalog.tsv"

zstd -q -f -19 "$work/catalog.tsv" -o "$here/catalog.tsv.zst"
