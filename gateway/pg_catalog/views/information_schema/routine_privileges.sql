SELECT grantor.rolname AS grantor, grantee.rolname AS grantee, current_database() AS specific_catalog,
       n.nspname AS specific_schema, nameconcatoid(f.proname, f.oid) AS specific_name,
       current_database() AS routine_catalog, n.nspname AS routine_schema, f.proname AS routine_name,
       'EXECUTE' AS privilege_type,
       CASE WHEN pg_has_role(grantee.oid, f.proowner, 'USAGE') OR p.is_grantable THEN 'YES' ELSE 'NO' END AS is_grantable
FROM pg_catalog.pg_proc f
JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
CROSS JOIN LATERAL aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) p
JOIN pg_catalog.pg_authid grantor ON grantor.oid = p.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = p.grantee
WHERE p.privilege_type = 'EXECUTE'
  AND (pg_has_role(grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
