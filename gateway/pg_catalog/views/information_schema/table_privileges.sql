SELECT grantor.rolname AS grantor, grantee.rolname AS grantee, current_database() AS table_catalog,
       n.nspname AS table_schema, c.relname AS table_name, p.privilege_type,
       CASE WHEN pg_has_role(grantee.oid, c.relowner, 'USAGE') OR p.is_grantable THEN 'YES' ELSE 'NO' END AS is_grantable,
       CASE WHEN p.privilege_type = 'SELECT' THEN 'YES' ELSE 'NO' END AS with_hierarchy
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) p
JOIN pg_catalog.pg_authid grantor ON grantor.oid = p.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = p.grantee
WHERE c.relkind IN ('r', 'v', 'f', 'p')
  AND p.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
  AND (pg_has_role(grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
