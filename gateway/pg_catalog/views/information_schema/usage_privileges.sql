SELECT owner.rolname AS grantor, 'PUBLIC' AS grantee, current_database() AS object_catalog,
       n.nspname AS object_schema, c.collname AS object_name, 'COLLATION' AS object_type, 'USAGE' AS privilege_type,
       'NO' AS is_grantable
FROM pg_catalog.pg_collation c
JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
JOIN pg_catalog.pg_authid owner ON owner.oid = c.collowner
WHERE c.collencoding IN (-1, (SELECT d.encoding FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
UNION ALL
SELECT grantor.rolname, grantee.rolname, current_database(), o.schema, o.name, o.kind, 'USAGE',
       CASE WHEN pg_has_role(grantee.oid, o.owner, 'USAGE') OR p.is_grantable THEN 'YES' ELSE 'NO' END
FROM (SELECT n.nspname AS schema, t.typname AS name, 'DOMAIN' AS kind, t.typowner AS owner,
             coalesce(t.typacl, acldefault('T', t.typowner)) AS acl
      FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      WHERE t.typtype = 'd'
      UNION ALL
      SELECT '', w.fdwname, 'FOREIGN DATA WRAPPER', w.fdwowner, coalesce(w.fdwacl, acldefault('F', w.fdwowner))
      FROM pg_catalog.pg_foreign_data_wrapper w
      UNION ALL
      SELECT '', s.srvname, 'FOREIGN SERVER', s.srvowner, coalesce(s.srvacl, acldefault('S', s.srvowner))
      FROM pg_catalog.pg_foreign_server s
      UNION ALL
      SELECT n.nspname, c.relname, 'SEQUENCE', c.relowner, coalesce(c.relacl, acldefault('s', c.relowner))
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'S') o
CROSS JOIN LATERAL aclexplode(o.acl) p
JOIN pg_catalog.pg_authid grantor ON grantor.oid = p.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = p.grantee
WHERE p.privilege_type = 'USAGE'
  AND (pg_has_role(grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
