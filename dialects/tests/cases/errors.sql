select 1 from from t;
select (1 from t;
select 1,, 2;
select `a` from t;
selec 1;
drop table t;
with x as (select 1) select * from x where;
select * from t limit 5 5;
