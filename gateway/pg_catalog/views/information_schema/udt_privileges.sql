SELECT grantor.rolname AS grantor, grantee.rolname AS grantee, current_database() AS udt_catalog,
       n.nspname AS udt_schema, t.typname AS udt_name, 'TYPE USAGE' AS privilege_type,
       CASE WHEN pg_has_role(grantee.oid, t.typowner, 'USAGE') OR p.is_grantable THEN 'YES' ELSE 'NO' END AS is_grantable
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) p
JOIN pg_catalog.pg_authid grantor ON grantor.oid = p.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = p.grantee
WHERE t.typtype = 'c' AND p.privilege_type = 'USAGE'
  AND (pg_has_role(grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
