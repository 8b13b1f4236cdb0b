-- The lake's shape on PostgreSQL, so that a suite can be checked against the server that it describes.
CREATE SCHEMA logs;
CREATE TABLE logs.cloudtrail AS
SELECT timestamptz '2026-11-18 15:00:00+00' - n * interval '1 minute' AS "time",
       'event-' || lpad(n::text, 6, '0') AS event_id,
       'cloudtrail'::text AS source,
       (ARRAY['authentication', 'api_activity'])[1 + n % 2] AS category,
       (ARRAY['ConsoleLogin', 'GetObject', 'RunInstances', 'CreateBucket'])[1 + n % 4] AS action,
       (ARRAY['signin.amazonaws.com', 's3.amazonaws.com', 'ec2.amazonaws.com'])[1 + n % 3] AS service,
       CASE WHEN n % 7 = 0 THEN 'failure' ELSE 'success' END AS outcome,
       NULL::text AS reason,
       (n % 6)::smallint AS severity,
       'id-' || n % 40 AS actor_id,
       'user' || n % 40 AS actor_name,
       (ARRAY['Root', 'IAMUser'])[1 + n % 2] AS actor_type,
       NULL::text AS actor_email, NULL::text AS target_id, NULL::text AS target_name, NULL::text AS target_type,
       '198.51.100.' || n % 250 AS src_ip,
       CASE WHEN n % 3 = 0 THEN NULL ELSE 1024 + n END AS src_port,
       'US'::text AS src_country, NULL::text AS src_city, 64512::bigint AS src_asn, NULL::text AS src_as_org,
       NULL::text AS dst_ip, NULL::int AS dst_port, NULL::text AS dst_country,
       'aws-cli/2.0'::text AS user_agent, '418203756911'::text AS account_id,
       (ARRAY['us-east-1', 'eu-central-1'])[1 + n % 2] AS region,
       NULL::text AS session_id, n % 5 = 0 AS mfa, NULL::text AS ioc,
       jsonb_build_object('eventName', 'x', 'number', n, 'padding', repeat('p', 400)) AS raw
FROM generate_series(1, 8000) AS n;
CREATE TABLE logs.okta AS SELECT * FROM logs.cloudtrail LIMIT 2000;
CREATE TABLE logs.github AS SELECT * FROM logs.cloudtrail LIMIT 600;
CREATE VIEW logs.events AS SELECT "time", event_id, source, category, action, actor_name, src_ip FROM logs.cloudtrail;
ALTER DATABASE lake SET search_path = logs, public;
ANALYZE;
