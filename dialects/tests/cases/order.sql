select action from okta order by action, time desc, actor_name asc nulls first;
select rank() over (partition by action order by time desc) from okta;
select distinct on (actor_name) actor_name, time from okta order by actor_name, time desc;
select string_agg(action, ', ' order by time desc), array_agg(distinct action) from okta;
select percentile_cont(0.95) within group (order by bytes), mode() within group (order by bytes) from vpc_flow;
select percentile_disc(0.5) within group (order by bytes) from vpc_flow;
select action, count(*) filter (where mfa) from okta group by rollup (action), cube (outcome), grouping sets ((region), ());
(select 1 limit 2) union all (values (3)) order by 1 limit 5 offset 1;
table okta;
