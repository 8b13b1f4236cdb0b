SELECT c.oid AS relid, n.nspname AS schemaname, c.relname, 0::bigint AS seq_scan, 0::bigint AS seq_tup_read,
       CASE WHEN c.relhasindex THEN 0::bigint END AS idx_scan, CASE WHEN c.relhasindex THEN 0::bigint END AS idx_tup_fetch,
       0::bigint AS n_tup_ins, 0::bigint AS n_tup_upd, 0::bigint AS n_tup_del, 0::bigint AS n_tup_hot_upd,
       greatest(c.reltuples, 0)::bigint AS n_live_tup, 0::bigint AS n_dead_tup, 0::bigint AS n_mod_since_analyze,
       0::bigint AS n_ins_since_vacuum, NULL::timestamptz AS last_vacuum, NULL::timestamptz AS last_autovacuum,
       NULL::timestamptz AS last_analyze, NULL::timestamptz AS last_autoanalyze, 0::bigint AS vacuum_count,
       0::bigint AS autovacuum_count, 0::bigint AS analyze_count, 0::bigint AS autoanalyze_count
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm', 'p')
