SELECT current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name,
       current_database() AS constraint_catalog, u.constraint_schema, u.conname AS constraint_name
FROM (SELECT DISTINCT cn.nspname AS constraint_schema, k.conname, d.refobjid AS relid, d.refobjsubid::int2 AS attnum
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_namespace cn ON cn.oid = k.connamespace
      JOIN pg_catalog.pg_depend d ON d.classid = 2606 AND d.objid = k.oid AND d.refclassid = 1259
      WHERE k.contype = 'c'
      UNION ALL
      SELECT cn.nspname, k.conname, CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END,
             unnest(CASE k.contype WHEN 'f' THEN k.confkey ELSE k.conkey END)
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_namespace cn ON cn.oid = k.connamespace
      WHERE k.contype IN ('p', 'u', 'f')) u
JOIN pg_catalog.pg_class c ON c.oid = u.relid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum AND NOT a.attisdropped
WHERE pg_has_role(c.relowner, 'USAGE')
