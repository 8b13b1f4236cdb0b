SELECT a.rolname AS role_name FROM pg_catalog.pg_authid a WHERE pg_has_role(a.oid, 'USAGE')
