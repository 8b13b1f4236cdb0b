SELECT d.oid AS datid, d.datname, 0::bigint AS confl_tablespace, 0::bigint AS confl_lock, 0::bigint AS confl_snapshot,
       0::bigint AS confl_bufferpin, 0::bigint AS confl_deadlock
FROM pg_catalog.pg_database d
