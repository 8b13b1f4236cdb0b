SELECT current_database() AS domain_catalog, n.nspname AS domain_schema, t.typname AS domain_name,
       CASE WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY'
            WHEN bn.nspname = 'pg_catalog' THEN format_type(b.oid, NULL)
            ELSE 'USER-DEFINED' END AS data_type,
       CASE WHEN b.oid IN (1042, 1043) AND t.typtypmod <> -1 THEN t.typtypmod - 4
            WHEN b.oid IN (1560, 1562) AND t.typtypmod <> -1 THEN t.typtypmod END AS character_maximum_length,
       CASE WHEN b.oid IN (25, 1042, 1043)
            THEN CASE WHEN t.typtypmod = -1 THEN 1073741824 ELSE (t.typtypmod - 4) * 4 END END AS character_octet_length,
       NULL AS character_set_catalog, NULL AS character_set_schema, NULL AS character_set_name,
       CASE WHEN cn.nspname IS NOT NULL THEN current_database() END AS collation_catalog,
       cn.nspname AS collation_schema, co.collname AS collation_name,
       CASE b.oid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
            WHEN 1700 THEN CASE WHEN t.typtypmod <> -1 THEN ((t.typtypmod - 4) >> 16) & 65535 END
       END AS numeric_precision,
       CASE WHEN b.oid IN (20, 21, 23, 700, 701) THEN 2 WHEN b.oid = 1700 THEN 10 END AS numeric_precision_radix,
       CASE WHEN b.oid IN (20, 21, 23) THEN 0
            WHEN b.oid = 1700 AND t.typtypmod <> -1 THEN (t.typtypmod - 4) & 65535 END AS numeric_scale,
       CASE WHEN b.oid = 1082 THEN 0
            WHEN b.oid IN (1083, 1114, 1184, 1266) THEN CASE WHEN t.typtypmod < 0 THEN 6 ELSE t.typtypmod END
            WHEN b.oid = 1186
            THEN CASE WHEN t.typtypmod < 0 OR t.typtypmod & 65535 = 65535 THEN 6 ELSE t.typtypmod & 65535 END
       END AS datetime_precision,
       CASE WHEN b.oid = 1186
            THEN upper(substring(format_type(b.oid, t.typtypmod) FROM '^interval(?:\(\d+\))? ([a-z ]+)'))
       END AS interval_type,
       NULL AS interval_precision, t.typdefault AS domain_default, current_database() AS udt_catalog,
       bn.nspname AS udt_schema, b.typname AS udt_name, NULL AS scope_catalog, NULL AS scope_schema, NULL AS scope_name,
       NULL AS maximum_cardinality, '1' AS dtd_identifier
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
LEFT JOIN (pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace)
       ON co.oid = t.typcollation AND (cn.nspname <> 'pg_catalog' OR co.collname <> 'default')
WHERE t.typtype = 'd' AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'))
