-- Makes a PostgreSQL 15 of any later minor release show what the release does whose behaviour is served, 15.18.
SET allow_system_table_mods = on;
DELETE FROM pg_catalog.pg_proc WHERE proname = 'binary_upgrade_set_next_attribute_versions';
UPDATE information_schema.sql_implementation_info SET character_value = '15.18.0000' WHERE implementation_info_id = '18';
RESET allow_system_table_mods;
