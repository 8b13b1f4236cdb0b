SELECT 1
SELECT 1, 'a', true, null, 1.5, 10000000000, 1e3
SELECT -9223372036854775808, -2147483648, 2147483648
SELECT 1 + 1, 1 + 1.5, 2::int2 + 3::int8, 7 / 2, -7 / 2, 7 % 3, 7.0 / 2, 1 / 3.0, 2 ^ 10, 5 & 3, 5 | 3, 5 # 3, 1 << 4
SELECT 10::numeric / 3, 1::numeric / 7, 100000::numeric / 3, 0.0001 / 3, 2.50 * 3.0, 1.10 + 2.205
SELECT 1e15::float8, 123456789012345680::float8, 0.0001::float8, 0.00001::float8, 1e6::float4, 'NaN'::float8, 0.1::float4
SELECT 'a' || 'b', 'a' || 1, 1 || 'a', 'x' || null
SELECT 'abc' LIKE 'a%', 'abc' ILIKE 'A_C', 'abc' NOT LIKE 'x%', 'a%c' LIKE 'a\%c', 'a_c' LIKE 'a#_c' ESCAPE '#'
SELECT 'abc' ~ '^a', 'ABC' ~* 'b', 'abc' !~ 'z', 'abc' SIMILAR TO '(a|b)%', 'foo' ~ '^(foo|bar)$'
SELECT 1 IN (1, 2), 3 NOT IN (1, 2), null IN (1), 1 IN (2, null), 'a' IN ('a', 'b', 'c', 'd')
SELECT 2 BETWEEN 1 AND 3, 2 NOT BETWEEN 1 AND 3, 1 IS DISTINCT FROM null, null IS NOT DISTINCT FROM null
SELECT (1, 2) = (1, 2), (1, 2) < (1, 3), (1, null) = (1, 2), (1, 'a') IN ((1, 'a'), (2, 'b'))
SELECT 1 = ANY(ARRAY[1, 2]), 3 > ALL(ARRAY[1, 2]), 1 = ANY('{1,2}'), 'a' = ANY(ARRAY['a', 'b']), null = ANY(ARRAY[1])
SELECT true AND null, false AND null, true OR null, NOT null, null IS TRUE, null IS NOT UNKNOWN
SELECT CASE WHEN 1 = 1 THEN 'a' ELSE 'b' END, CASE 2 WHEN 1 THEN 'x' WHEN 2 THEN 'y' END, CASE WHEN false THEN 1 END
SELECT coalesce(null, 1, 2), nullif(1, 1), nullif('a', 'b'), greatest(1, 3, 2), least(2, null, 1)
SELECT ARRAY[1, 2, 3], ARRAY['a', null], ARRAY[[1, 2], [3, 4]], ARRAY[]::int[], '{a,"b c",NULL}'::text[], '[0:1]={1,2}'::int[]
SELECT (ARRAY[1, 2, 3])[2], (ARRAY[1, 2, 3])[2:3], (ARRAY[[1, 2], [3, 4]])[2][1], (ARRAY[1])[5]
SELECT array_length(ARRAY[1, 2], 1), array_upper(ARRAY[1, 2], 1), array_lower('[0:1]={1,2}'::int[], 1), cardinality(ARRAY[1, 2]), array_ndims(ARRAY[[1]])
SELECT array_append(ARRAY[1], 2), array_prepend(0, ARRAY[1]), array_cat(ARRAY[1], ARRAY[2]), ARRAY[1] || 2, ARRAY[1] || ARRAY[2], array_remove(ARRAY[1, 2, 1], 1)
SELECT array_to_string(ARRAY[1, null, 3], ','), array_to_string(ARRAY[1, null, 3], ',', '*'), string_to_array('a,b,c', ','), string_to_array('a', null), array_position(ARRAY['a', 'b'], 'b')
SELECT ARRAY(SELECT generate_series(1, 3)), ARRAY(SELECT 'x'::name), ARRAY[1, 2] @> ARRAY[1], ARRAY[1, 2] && ARRAY[2, 3]
SELECT lower('ABC'), upper('abc'), length('héllo'), octet_length('héllo'), initcap('hello world'), reverse('abc'), ascii('a'), chr(65)
SELECT trim('  a '), btrim('xxaxx', 'x'), ltrim('xa', 'x'), rtrim('ax', 'x'), trim(both 'x' from 'xax')
SELECT substring('hello' from 2 for 3), substring('hello', 2), substr('hello', -1, 3), left('hello', 2), right('hello', -2), position('l' in 'hello'), strpos('hello', 'lo')
SELECT replace('aaa', 'a', 'b'), translate('abc', 'ab', 'x'), lpad('a', 3), rpad('a', 3, 'xy'), repeat('ab', 2), split_part('a,b,c', ',', 2), split_part('a,b,c', ',', -1), overlay('abcdef' placing 'XX' from 2 for 3)
SELECT concat('a', null, 1, true), concat_ws('-', 'a', null, 'b'), format('%s %I %L %%', 'a', 'B c', 'd''e'), format('%2$s %1$s', 'a', 'b'), format('%-5s|%5s', 'a', 'b')
SELECT quote_ident('Foo'), quote_ident('foo'), quote_ident('select'), quote_ident('name'), quote_literal('a''b'), quote_literal('a\b'), quote_nullable(null)
SELECT parse_ident('"Foo".bar'), regexp_replace('abc', 'b', 'X'), regexp_replace('aaa', 'a', 'b', 'g'), regexp_match('abc', '(b)(c)'), regexp_replace('abc', '(b)', '[\1]'), substring('foobar' from 'o(.)b')
SELECT encode('abc', 'hex'), encode('abc', 'base64'), decode('616263', 'hex'), '\xdeadbeef'::bytea, to_hex(255), md5('abc')
SELECT abs(-1), abs(-1.5), ceil(1.2), floor(-1.2), round(2.5), round(1.2345, 2), round(2.5::float8), trunc(1.9), trunc(1.29, 1), sign(-2.0), mod(7, 3), sqrt(2.0::float8), power(2, 3), power(2.0, 3)
SELECT '2024-01-02'::date, '2024-01-02 03:04:05.6'::timestamp, '2024-01-02 03:04:05+02'::timestamptz, '03:04'::time, 'infinity'::timestamp, date '2024-01-02'
SELECT interval '1 day 2 hours', interval '1 month', '1 year 2 mons -3 days'::interval, interval '90 minutes', interval '1' day, interval '-1 day +02:03', interval '1.5 days'
SELECT '2024-01-31'::date + interval '1 month', '2024-01-02'::date + 1, '2024-01-02'::date - '2024-01-01'::date, '2024-01-02 10:00'::timestamp - '2024-01-01 09:00'::timestamp, interval '1 day' * 2, interval '1 hour' / 2
SELECT extract(year from '2024-03-02'::date), extract(epoch from '2024-01-01'::timestamp), extract(dow from '2024-03-02'::date), date_part('month', '2024-03-02'::date), extract(second from '2024-01-01 00:00:05.25'::timestamp), extract(day from interval '3 days')
SELECT date_trunc('month', '2024-03-15 10:11:12'::timestamp), date_trunc('hour', '2024-03-15 10:11:12+00'::timestamptz), date_trunc('week', '2024-03-15'::date), '2024-03-15 10:00+00'::timestamptz AT TIME ZONE 'Europe/Berlin', '2024-03-15 10:00'::timestamp AT TIME ZONE 'America/New_York'
SELECT to_char('2024-03-05 14:06:07'::timestamp, 'YYYY-MM-DD HH24:MI:SS'), to_char('2024-03-05'::date, 'FMMonth DD, YYYY'), to_char(1234.5, '9,999.99'), to_char(5, '000'), to_date('05/03/2024', 'DD/MM/YYYY'), to_char('2024-03-05 14:06:07'::timestamp, 'Dy HH12 AM Q')
SELECT age('2024-03-05'::timestamp, '2023-01-01'::timestamp), make_date(2024, 2, 29), to_timestamp(0), isfinite('infinity'::timestamp)
SELECT 1::text, '1'::int, 1.5::int, 2.5::int, '1.5'::numeric(10,1), 1.25::numeric(10,1), true::text, 'yes'::bool, 1::bool, 'abc'::varchar(2), 'a'::char(3) || 'b', 'abc'::name, 'a'::"char", 65::"char"
SELECT 'pg_class'::regclass, 1259::oid::regclass, 'int4'::regtype, 'integer[]'::regtype, 'pg_catalog'::regnamespace, 'array_in'::regproc, 23::regtype::text, 'pg_class'::regclass::oid, 0::regclass
SELECT format_type(23, null), format_type(1043, 44), format_type(1700, 786438), format_type(1009, -1), format_type(1184, 3), format_type(0, null), format_type(1042, -1), format_type(1042, null), format_type(18, null)
SELECT pg_typeof(1), pg_typeof('a'), pg_typeof(1.5), pg_typeof(ARRAY[1]), pg_typeof(null), pg_typeof(now())
SELECT json_build_object('a', 1, 'b', 'x', 'c', null), json_build_array(1, 'a'), to_json('x'::text), row_to_json(row(1, 'a')), to_json(ARRAY[1, 2]), jsonb_build_object('b', 1, 'a', 2)
SELECT '{"a": {"b": 1}}'::json -> 'a' ->> 'b', '{"a": [1, 2]}'::jsonb #>> '{a,1}', '{"a":1}'::jsonb @> '{"a":1}', '{"b":1, "a":2}'::jsonb, jsonb_typeof('[1]'), '{"a":1}'::jsonb ? 'a'
SELECT count(*), sum(x), avg(x), min(x), max(x), array_agg(x ORDER BY x DESC), string_agg(x::text, ','), bool_and(x > 0), count(DISTINCT x % 2), sum(x) FILTER (WHERE x > 1) FROM generate_series(1, 3) AS g(x)
SELECT x % 2 AS k, count(*) FROM generate_series(1, 5) x GROUP BY k HAVING count(*) > 2 ORDER BY 1
SELECT x % 2, sum(x) FROM generate_series(1, 5) x GROUP BY ROLLUP (x % 2) ORDER BY 1 NULLS LAST
SELECT x, row_number() OVER (ORDER BY x DESC), rank() OVER (ORDER BY x / 2), sum(x) OVER (ORDER BY x), lag(x) OVER (ORDER BY x), count(*) OVER () FROM generate_series(1, 4) x ORDER BY x
SELECT DISTINCT x % 3 FROM generate_series(1, 9) x ORDER BY 1 DESC
SELECT DISTINCT ON (x % 2) x % 2, x FROM generate_series(1, 6) x ORDER BY x % 2, x DESC
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(n, t) JOIN (VALUES (2, 'x'), (3, 'y')) w(n, u) USING (n)
SELECT * FROM (VALUES (1), (2)) v(n) LEFT JOIN (VALUES (2, 'x')) w(n, u) ON v.n = w.n ORDER BY 1
SELECT * FROM (VALUES (1), (2)) v(n) FULL JOIN (VALUES (2), (3)) w(m) ON v.n = w.m ORDER BY 1, 2
SELECT * FROM (VALUES (1), (2)) v(n) NATURAL FULL JOIN (VALUES (2), (3)) w(n) ORDER BY 1
SELECT v.n, l.s FROM (VALUES (1), (2)) v(n), LATERAL (SELECT generate_series(1, v.n) s) l ORDER BY 1, 2
SELECT v.n, (SELECT max(g) FROM generate_series(1, v.n) g) FROM (VALUES (1), (2)) v(n) ORDER BY 1
SELECT n FROM generate_series(1, 4) n WHERE EXISTS (SELECT 1 FROM (VALUES (2), (3)) v(m) WHERE v.m = n) ORDER BY 1
SELECT n FROM generate_series(1, 4) n WHERE n NOT IN (SELECT m FROM (VALUES (2), (3)) v(m)) ORDER BY 1
SELECT 1 UNION SELECT 2 UNION ALL SELECT 2 ORDER BY 1
SELECT 1 INTERSECT SELECT 1
SELECT 1, 'a' UNION ALL SELECT 2.5, null ORDER BY 1
SELECT n FROM generate_series(1, 3) n EXCEPT SELECT 2 ORDER BY 1
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n), array_agg(n) FROM t
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b
SELECT unnest(ARRAY[1, 2]), generate_series(1, 3)
SELECT * FROM unnest(ARRAY['a', 'b']) WITH ORDINALITY
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a']) AS u(x, y)
SELECT (a.k).n, (a.k).x FROM (SELECT information_schema._pg_expandarray(ARRAY['p', 'q']) AS k) a ORDER BY 1
SELECT n FROM generate_series(5, 1, -2) n LIMIT 2 OFFSET 1
SELECT generate_series('2024-01-01'::timestamp, '2024-01-03', '1 day')
SELECT row(1, 'a', null)::text, row(1, 2)::text
SELECT 'a' < 'B', 'a' = 'a ', 'a'::char(3) = 'a', 1 = 1.0, 1.5 = 1.5::float8, '1' = 1
SELECT pg_size_pretty(0::bigint), pg_size_pretty(10239::bigint), pg_size_pretty(10240::bigint), pg_size_pretty(1048576::bigint), pg_size_pretty(123456789012)
SELECT current_schemas(true), current_schemas(false), current_schema(), current_database(), pg_encoding_to_char(6), pg_char_to_encoding('UTF8')
SELECT to_regclass('nope'), to_regtype('nope'), to_regclass('pg_class'), to_regtype('int4')
SELECT '550e8400-e29b-41d4-a716-446655440000'::uuid, '{"a" : 1}'::json, '1.2.3.4'::inet, 'x'::bpchar
SELECT (SELECT 1 WHERE false), (SELECT 1) + 1
SELECT x.* FROM (SELECT 1 AS a, 2 AS b) x
SELECT x FROM (SELECT 1 AS a, 'q' AS b) x
SELECT 1 AS a, 2 AS b ORDER BY b, a
SELECT current_user = session_user, extract(hour from time '10:11:12'), '10:00'::time + interval '2 hours'
SELECT $1::int + 1, $2::text
SELECT 1 WHERE false
SELECT 1/0
SELECT 'abc'::int
SELECT nope
SELECT nope()
SELECT 1 + 'a'
SELECT 'a' + 'b'
SELECT true + 1
SELECT x.y
SELECT * FROM nope
SELECT count(*) FROM generate_series(1, 3) x GROUP BY y
SELECT x, count(*) FROM generate_series(1, 3) x
SELECT sum(count(*)) FROM generate_series(1, 3) x
SELECT a FROM (SELECT 1 AS a) x, (SELECT 2 AS a) y
SELECT 1 FROM (SELECT 1) x, (SELECT 2) x
SELECT (SELECT n FROM generate_series(1, 2) n)
SELECT ARRAY[]
SELECT '{1,2'::int[]
SELECT 99999999999::int
SELECT '2024-13-01'::date
SELECT 'x'::nope
SELECT 'nope'::regclass
SELECT lower(1)
SELECT 1 ORDER BY 2
SELECT 1 UNION SELECT 1, 2
SELECT 1 UNION SELECT 'a'
SELECT CASE WHEN 1 THEN 2 END
SELECT current_setting('nope.nope')
SELECT 1 WHERE 1
SELECT count(*) WHERE count(*) > 1
SELECT 'a' ~ '('
SELECT 2147483647 + 1
SELECT NOT 1
