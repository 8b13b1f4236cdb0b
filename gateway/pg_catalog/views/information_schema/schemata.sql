SELECT current_database() AS catalog_name, n.nspname AS schema_name, owner.rolname AS schema_owner,
       NULL AS default_character_set_catalog, NULL AS default_character_set_schema,
       NULL AS default_character_set_name, NULL AS sql_path
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_authid owner ON owner.oid = n.nspowner
WHERE pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'CREATE, USAGE')
