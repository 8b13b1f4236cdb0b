SELECT n.nspname AS schemaname, tbl.relname AS tablename, idx.relname AS indexname, t.spcname AS tablespace,
       pg_get_indexdef(idx.oid) AS indexdef
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class tbl ON tbl.oid = i.indrelid AND tbl.relkind IN ('r', 'm', 'p')
JOIN pg_catalog.pg_class idx ON idx.oid = i.indexrelid AND idx.relkind IN ('i', 'I')
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = tbl.relnamespace
LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = idx.reltablespace
