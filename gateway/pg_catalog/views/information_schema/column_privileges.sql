SELECT grantor.rolname AS grantor, grantee.rolname AS grantee, current_database() AS table_catalog,
       n.nspname AS table_schema, p.relname AS table_name, p.attname AS column_name, p.privilege_type,
       CASE WHEN pg_has_role(p.grantee, p.relowner, 'USAGE') OR p.is_grantable THEN 'YES' ELSE 'NO' END AS is_grantable
FROM (SELECT c.relnamespace, c.relname, c.relowner, a.attname, g.grantor, g.grantee, g.privilege_type, g.is_grantable
      FROM pg_catalog.pg_class c
      CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relkind IN ('r', 'v', 'f', 'p')
      UNION
      SELECT c.relnamespace, c.relname, c.relowner, a.attname, g.grantor, g.grantee, g.privilege_type, g.is_grantable
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'v', 'f', 'p')
      CROSS JOIN LATERAL aclexplode(a.attacl) g
      WHERE a.attnum > 0 AND NOT a.attisdropped) p
JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
JOIN pg_catalog.pg_authid grantor ON grantor.oid = p.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = p.grantee
WHERE p.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'REFERENCES')
  AND (pg_has_role(p.grantor, 'USAGE') OR pg_has_role(p.grantee, 'USAGE') OR grantee.rolname = 'PUBLIC')
