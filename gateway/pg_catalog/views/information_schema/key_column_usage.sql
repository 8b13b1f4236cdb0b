SELECT current_database() AS constraint_catalog, k.constraint_schema, k.conname AS constraint_name,
       current_database() AS table_catalog, k.table_schema, k.relname AS table_name, a.attname AS column_name,
       k.place AS ordinal_position,
       CASE WHEN k.contype = 'f'
            THEN (SELECT position.n FROM pg_catalog.pg_index i
                  CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) AS position(n)
                  WHERE i.indexrelid = k.conindid AND i.indkey[position.n - 1] = k.confkey[k.place])
       END AS position_in_unique_constraint
FROM (SELECT cn.nspname AS constraint_schema, n.nspname AS table_schema, c.oid AS relid, c.relname, c.relowner, k.conname,
             k.contype, k.conkey, k.confkey, k.conindid, generate_subscripts(k.conkey, 1) AS place
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_namespace cn ON cn.oid = k.connamespace
      JOIN pg_catalog.pg_class c ON c.oid = k.conrelid AND c.relkind IN ('r', 'p')
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE k.contype IN ('p', 'u', 'f') AND NOT pg_is_other_temp_schema(n.oid)) k
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.relid AND a.attnum = k.conkey[k.place] AND NOT a.attisdropped
WHERE pg_has_role(k.relowner, 'USAGE')
   OR has_column_privilege(k.relid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES')
