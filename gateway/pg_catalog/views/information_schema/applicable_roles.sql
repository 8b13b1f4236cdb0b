SELECT member.rolname AS grantee, role.rolname AS role_name, CASE WHEN g.admin THEN 'YES' ELSE 'NO' END AS is_grantable
FROM (SELECT m.member, m.roleid, m.admin_option AS admin FROM pg_catalog.pg_auth_members m
      UNION
      SELECT d.datdba, a.oid, false FROM pg_catalog.pg_database d, pg_catalog.pg_authid a
      WHERE d.datname = current_database() AND a.rolname = 'pg_database_owner') g
JOIN pg_catalog.pg_authid member ON member.oid = g.member
JOIN pg_catalog.pg_authid role ON role.oid = g.roleid
WHERE pg_has_role(member.oid, 'USAGE')
