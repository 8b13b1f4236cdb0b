SELECT m.oid AS umid, s.oid AS srvid, s.srvname, m.umuser,
       CASE WHEN m.umuser = 0 THEN 'public'::name ELSE a.rolname END AS usename, NULL::text[] AS umoptions
FROM pg_catalog.pg_user_mapping m
JOIN pg_catalog.pg_foreign_server s ON s.oid = m.umserver
LEFT JOIN pg_catalog.pg_authid a ON a.oid = m.umuser
