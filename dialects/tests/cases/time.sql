select * from okta where time > now() - interval '7 days' and time < now() + '1 hour'::interval;
select interval '1 year 2 mons -3 days 04:05:06.5', interval '7' day, interval 'P1DT2H', interval '1 day ago', interval '90';
select interval 'soon';
select date '2026-11-18' - 7, '2026-11-18'::date + 1, current_date - date '2026-01-01';
select date_trunc('week', time), extract(epoch from time), extract(isodow from time), date_part('hour', time) from okta;
select time at time zone 'Europe/Berlin', timezone('UTC', time) from okta;
select to_char(time, 'YYYY-MM-DD'), to_timestamp(0), to_timestamp('2026', 'YYYY'), to_date('2026-01-01', 'YYYY-MM-DD') from okta;
select age(time, '2026-01-01'), make_interval(days => 3) from okta;
