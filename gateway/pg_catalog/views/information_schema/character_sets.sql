SELECT NULL AS character_set_catalog, NULL AS character_set_schema, getdatabaseencoding() AS character_set_name,
       CASE getdatabaseencoding() WHEN 'UTF8' THEN 'UCS' ELSE getdatabaseencoding() END AS character_repertoire,
       getdatabaseencoding() AS form_of_use, current_database() AS default_collate_catalog,
       co.nspname AS default_collate_schema, co.collname AS default_collate_name
FROM pg_catalog.pg_database d
LEFT JOIN LATERAL (SELECT n.nspname, c.collname FROM pg_catalog.pg_collation c
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
                   WHERE c.collcollate = d.datcollate AND c.collctype = d.datctype
                   ORDER BY char_length(c.collname) DESC, c.collname LIMIT 1) co ON true
WHERE d.datname = current_database()
