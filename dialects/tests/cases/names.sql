select count(*), count(action), max(time) as count, 1, 1, action::text, '5'::int, case when true then 1 end from okta;
select Action, "Action", o.ACTION, upper(action), (select max(time) from okta) from okta o;
select pg_catalog.count(*) from (select count(*) from okta) t where t.count > 1;
