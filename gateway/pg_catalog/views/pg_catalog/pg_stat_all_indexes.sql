SELECT tbl.oid AS relid, idx.oid AS indexrelid, n.nspname AS schemaname, tbl.relname, idx.relname AS indexrelname,
       0::bigint AS idx_scan, 0::bigint AS idx_tup_read, 0::bigint AS idx_tup_fetch
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class tbl ON tbl.oid = i.indrelid AND tbl.relkind IN ('r', 't', 'm')
JOIN pg_catalog.pg_class idx ON idx.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = tbl.relnamespace
