SELECT current_database() AS object_catalog, o.schema AS object_schema, o.name AS object_name, o.kind AS object_type,
       o.dtd_identifier
FROM (SELECT table_schema AS schema, table_name AS name, 'TABLE' AS kind, dtd_identifier FROM information_schema.columns
      UNION ALL
      SELECT domain_schema, domain_name, 'DOMAIN', dtd_identifier FROM information_schema.domains
      UNION ALL
      SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.parameters
      UNION ALL
      SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.routines) o
