SELECT current_database() AS specific_catalog, n.nspname AS specific_schema,
       nameconcatoid(p.proname, p.oid) AS specific_name, current_database() AS routine_catalog,
       n.nspname AS routine_schema, p.proname AS routine_name,
       CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END AS routine_type,
       NULL AS module_catalog, NULL AS module_schema, NULL AS module_name, NULL AS udt_catalog, NULL AS udt_schema,
       NULL AS udt_name,
       CASE WHEN p.prokind = 'p' THEN NULL
            WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
            WHEN tn.nspname = 'pg_catalog' THEN format_type(t.oid, NULL)
            ELSE 'USER-DEFINED' END AS data_type,
       NULL AS character_maximum_length, NULL AS character_octet_length, NULL AS character_set_catalog,
       NULL AS character_set_schema, NULL AS character_set_name, NULL AS collation_catalog, NULL AS collation_schema,
       NULL AS collation_name, NULL AS numeric_precision, NULL AS numeric_precision_radix, NULL AS numeric_scale,
       NULL AS datetime_precision, NULL AS interval_type, NULL AS interval_precision,
       CASE WHEN tn.nspname IS NOT NULL THEN current_database() END AS type_udt_catalog,
       tn.nspname AS type_udt_schema, t.typname AS type_udt_name, NULL AS scope_catalog, NULL AS scope_schema,
       NULL AS scope_name, NULL AS maximum_cardinality, '0' AS dtd_identifier,
       CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END AS routine_body,
       CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN p.prosrc END AS routine_definition,
       CASE WHEN l.lanname = 'c' THEN p.prosrc END AS external_name, upper(l.lanname) AS external_language,
       'GENERAL' AS parameter_style, CASE WHEN p.provolatile = 'i' THEN 'YES' ELSE 'NO' END AS is_deterministic,
       'MODIFIES' AS sql_data_access,
       CASE WHEN p.prokind <> 'p' THEN CASE WHEN p.proisstrict THEN 'YES' ELSE 'NO' END END AS is_null_call,
       NULL AS sql_path, 'YES' AS schema_level_routine, 0 AS max_dynamic_result_sets, NULL AS is_user_defined_cast,
       NULL AS is_implicitly_invocable, CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END AS security_type,
       NULL AS to_sql_specific_catalog, NULL AS to_sql_specific_schema, NULL AS to_sql_specific_name,
       'NO' AS as_locator, NULL AS created, NULL AS last_altered, NULL AS new_savepoint_level,
       'NO' AS is_udt_dependent, NULL AS result_cast_from_data_type, NULL AS result_cast_as_locator,
       NULL AS result_cast_char_max_length, NULL AS result_cast_char_octet_length,
       NULL AS result_cast_char_set_catalog, NULL AS result_cast_char_set_schema, NULL AS result_cast_char_set_name,
       NULL AS result_cast_collation_catalog, NULL AS result_cast_collation_schema,
       NULL AS result_cast_collation_name, NULL AS result_cast_numeric_precision,
       NULL AS result_cast_numeric_precision_radix, NULL AS result_cast_numeric_scale,
       NULL AS result_cast_datetime_precision, NULL AS result_cast_interval_type,
       NULL AS result_cast_interval_precision, NULL AS result_cast_type_udt_catalog,
       NULL AS result_cast_type_udt_schema, NULL AS result_cast_type_udt_name, NULL AS result_cast_scope_catalog,
       NULL AS result_cast_scope_schema, NULL AS result_cast_scope_name, NULL AS result_cast_maximum_cardinality,
       NULL AS result_cast_dtd_identifier
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_type t ON t.oid = p.prorettype AND p.prokind <> 'p'
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
WHERE pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE')
