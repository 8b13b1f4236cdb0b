SELECT relid, indexrelid, schemaname, relname, indexrelname, 0::bigint AS idx_blks_read, 0::bigint AS idx_blks_hit
FROM pg_catalog.pg_stat_all_indexes
