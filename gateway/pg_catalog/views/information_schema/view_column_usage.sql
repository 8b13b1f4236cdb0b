SELECT DISTINCT current_database() AS view_catalog, vn.nspname AS view_schema, v.relname AS view_name,
       current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name
FROM pg_catalog.pg_class v
JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
JOIN pg_catalog.pg_depend r ON r.refclassid = 1259 AND r.refobjid = v.oid AND r.classid = 2618 AND r.deptype = 'i'
JOIN pg_catalog.pg_depend d ON d.classid = 2618 AND d.objid = r.objid AND d.refclassid = 1259 AND d.refobjid <> v.oid
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'v', 'f', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE v.relkind = 'v' AND pg_has_role(c.relowner, 'USAGE')
