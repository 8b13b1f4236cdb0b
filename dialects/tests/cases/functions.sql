select substring(action from 2 for 3), substring(action from 'a(b)c'), position('a' in action), trim(leading 'x' from action), overlay(action placing 'x' from 1) from okta;
select array_remove(array[1, 1], 1), array_cat(array[1], array[2]), num_nulls(action, reason), every(mfa) from okta;
select json_extract_path_text(raw, 'a', 'b'), jsonb_array_length(raw), gen_random_uuid() from okta;
select regexp_replace(action, '\mfoo\M', 'x', 'g'), regexp_match(action, '(a)\1') from okta;
select * from generate_series(1, 10) with ordinality as g(x, n), unnest(array['a', 'b']) u;
select x::varchar(10), x::char, x::uuid, x::name, x::timestamptz(3), x::regclass from t;
