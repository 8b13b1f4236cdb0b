SELECT e.extname AS name, e.extversion AS version, true AS installed, true AS superuser, true AS trusted,
       e.extrelocatable AS relocatable, n.nspname AS schema, NULL::name[] AS requires, NULL::text AS comment
FROM pg_catalog.pg_extension e
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
