SELECT extname AS name, extversion AS default_version, extversion AS installed_version, NULL::text AS comment
FROM pg_catalog.pg_extension
