SELECT current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
       CASE WHEN n.oid = pg_my_temp_schema() THEN 'LOCAL TEMPORARY'
            WHEN c.relkind = 'v' THEN 'VIEW'
            WHEN c.relkind = 'f' THEN 'FOREIGN'
            ELSE 'BASE TABLE' END AS table_type,
       NULL AS self_referencing_column_name, NULL AS reference_generation,
       CASE WHEN t.oid IS NOT NULL THEN current_database() END AS user_defined_type_catalog,
       tn.nspname AS user_defined_type_schema, t.typname AS user_defined_type_name,
       CASE WHEN c.relkind IN ('r', 'p') THEN 'YES'
            WHEN c.relkind IN ('v', 'f') AND pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES'
            ELSE 'NO' END AS is_insertable_into,
       CASE WHEN t.oid IS NULL THEN 'NO' ELSE 'YES' END AS is_typed,
       NULL AS commit_action
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_type t ON t.oid = c.reloftype
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
WHERE c.relkind IN ('r', 'v', 'f', 'p')
  AND NOT pg_is_other_temp_schema(n.oid)
  AND (pg_has_role(c.relowner, 'USAGE')
       OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
