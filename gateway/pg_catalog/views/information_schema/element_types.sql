SELECT current_database() AS object_catalog, n.nspname AS object_schema, o.name AS object_name, o.kind AS object_type,
       o.place AS collection_type_identifier,
       CASE WHEN en.nspname = 'pg_catalog' THEN format_type(e.oid, NULL) ELSE 'USER-DEFINED' END AS data_type,
       NULL AS character_maximum_length, NULL AS character_octet_length, NULL AS character_set_catalog,
       NULL AS character_set_schema, NULL AS character_set_name,
       CASE WHEN cn.nspname IS NOT NULL THEN current_database() END AS collation_catalog,
       cn.nspname AS collation_schema, co.collname AS collation_name, NULL AS numeric_precision,
       NULL AS numeric_precision_radix, NULL AS numeric_scale, NULL AS datetime_precision, NULL AS interval_type,
       NULL AS interval_precision, NULL AS domain_default, current_database() AS udt_catalog, en.nspname AS udt_schema,
       e.typname AS udt_name, NULL AS scope_catalog, NULL AS scope_schema, NULL AS scope_name,
       NULL AS maximum_cardinality, 'a' || o.place AS dtd_identifier
FROM (SELECT c.relnamespace AS namespace, c.relname AS name, 'TABLE' AS kind, a.attnum::text AS place, a.atttypid AS type,
             a.attcollation AS collation
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relkind IN ('r', 'v', 'f', 'p')
        AND (pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))
      UNION ALL
      SELECT t.typnamespace, t.typname, 'DOMAIN', '1', t.typbasetype, t.typcollation
      FROM pg_catalog.pg_type t
      WHERE t.typtype = 'd' AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'))
      UNION ALL
      SELECT f.pronamespace, nameconcatoid(f.proname, f.oid), 'ROUTINE', p.place::text, p.type, 0
      FROM pg_catalog.pg_proc f
      CROSS JOIN LATERAL (SELECT 0 AS place, f.prorettype AS type WHERE f.prokind <> 'p' OR f.prorettype <> 0
                          UNION ALL
                          SELECT place, CASE WHEN f.proallargtypes IS NULL THEN f.proargtypes[place - 1]
                                             ELSE f.proallargtypes[place] END
                          FROM generate_series(1, coalesce(array_length(f.proallargtypes, 1), f.pronargs::int)) place) p
      WHERE pg_has_role(f.proowner, 'USAGE') OR has_function_privilege(f.oid, 'EXECUTE')) o
JOIN pg_catalog.pg_namespace n ON n.oid = o.namespace
JOIN pg_catalog.pg_type t ON t.oid = o.type AND t.typelem <> 0 AND t.typlen = -1
JOIN pg_catalog.pg_type e ON e.oid = t.typelem
JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace
LEFT JOIN (pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace)
       ON co.oid = o.collation AND (cn.nspname <> 'pg_catalog' OR co.collname <> 'default')
