SELECT current_database() AS specific_catalog, f.nspname AS specific_schema,
       nameconcatoid(f.proname, f.oid) AS specific_name, f.place AS ordinal_position,
       CASE f.mode WHEN 'i' THEN 'IN' WHEN 'o' THEN 'OUT' WHEN 'b' THEN 'INOUT' WHEN 'v' THEN 'IN' WHEN 't' THEN 'OUT'
            ELSE 'IN' END AS parameter_mode,
       'NO' AS is_result, 'NO' AS as_locator, nullif(f.name, '') AS parameter_name,
       CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
            WHEN n.nspname = 'pg_catalog' THEN format_type(t.oid, NULL)
            ELSE 'USER-DEFINED' END AS data_type,
       NULL AS character_maximum_length, NULL AS character_octet_length, NULL AS character_set_catalog,
       NULL AS character_set_schema, NULL AS character_set_name, NULL AS collation_catalog, NULL AS collation_schema,
       NULL AS collation_name, NULL AS numeric_precision, NULL AS numeric_precision_radix, NULL AS numeric_scale,
       NULL AS datetime_precision, NULL AS interval_type, NULL AS interval_precision, current_database() AS udt_catalog,
       n.nspname AS udt_schema, t.typname AS udt_name, NULL AS scope_catalog, NULL AS scope_schema, NULL AS scope_name,
       NULL AS maximum_cardinality, f.place::text AS dtd_identifier,
       CASE WHEN pg_has_role(f.proowner, 'USAGE') THEN pg_get_function_arg_default(f.oid, f.place) END
       AS parameter_default
FROM (SELECT p.oid, p.proname, p.proowner, pn.nspname, a.place, a.type, p.proargnames[a.place] AS name,
             p.proargmodes[a.place] AS mode
      FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
      CROSS JOIN LATERAL (SELECT place, CASE WHEN p.proallargtypes IS NULL THEN p.proargtypes[place - 1]
                                             ELSE p.proallargtypes[place] END AS type
                          FROM generate_series(1, coalesce(array_length(p.proallargtypes, 1), p.pronargs::int)) place) a
      WHERE pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE')) f
JOIN pg_catalog.pg_type t ON t.oid = f.type
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
