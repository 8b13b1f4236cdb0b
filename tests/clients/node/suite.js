// node-postgres against the server. Prints one line of JSON a check.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const pg = require("pg");
const Cursor = require("pg-cursor");
const QueryStream = require("pg-query-stream");
const copy = require("pg-copy-streams");

const env = process.env;
const product = env.E2E_PRODUCT === "1";
const HEAVY =
  "SELECT count(*) FROM cloudtrail a JOIN cloudtrail b ON a.source = b.source " +
  "JOIN cloudtrail c ON b.source = c.source WHERE a.event_id < b.event_id AND b.event_id < c.event_id";
const STREAM = "SELECT a.event_id, b.src_ip FROM cloudtrail a JOIN cloudtrail b ON a.source = b.source";

const checks = [];
function check(name, body) {
  checks.push({ name, body });
}

function options(more = {}) {
  return { host: env.E2E_HOST, port: Number(env.E2E_PORT), database: env.E2E_DATABASE, user: env.E2E_USER, ...more };
}

async function connected(body, more) {
  const client = new pg.Client(options(more));
  client.on("error", () => {});
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end().catch(() => {});
  }
}

const value = async (client, text, values) => Object.values((await client.query(text, values)).rows[0])[0];
const wide = { user: env.E2E_WIDE, password: env.E2E_WIDE_PASSWORD };

check("a simple query gives typed values", () =>
  connected(async (client) => {
    const { rows, fields } = await client.query(
      "SELECT 1 AS one, 2.5::float8 AS half, 'x' AS letter, true AS yes, NULL AS nothing, 9007199254740993::int8 AS large",
    );
    assert.deepEqual(rows[0], { one: 1, half: 2.5, letter: "x", yes: true, nothing: null, large: "9007199254740993" });
    assert.deepEqual(fields.map((field) => field.dataTypeID), [23, 701, 25, 16, 25, 20]);
  }));

check("parameters of every type", () =>
  connected(async (client) => {
    const now = new Date("2026-01-02T03:04:05.678Z");
    const { rows } = await client.query(
      "SELECT $1::int4 AS a, $2::text AS b, $3::bool AS c, $4::timestamptz AS d, $5::jsonb AS e, $6::text[] AS f, " +
        "$7::bytea AS g, $8::numeric AS h, $9::text AS i, $10::int8[] AS j",
      [7, "é 🙂", true, now, { k: [1, null] }, ["a,b", null, '"'], Buffer.from([0, 255]), "12.340", null, [1, 2]],
    );
    assert.deepEqual(rows[0], {
      a: 7, b: "é 🙂", c: true, d: now, e: { k: [1, null] }, f: ["a,b", null, '"'], g: Buffer.from([0, 255]), h: "12.340",
      i: null, j: ["1", "2"],
    });
  }));

check("binary results", () =>
  connected(
    async (client) => {
      const { rows } = await client.query({ text: "SELECT $1::int4 AS a, 7::int8 AS b, 'x'::text AS c, true AS d", values: [5] });
      assert.deepEqual(rows[0], { a: 5, b: "7", c: "x", d: true });
    },
    { binary: true },
  ));

check("an interval and a date are parsed", () =>
  connected(async (client) => {
    const { rows } = await client.query("SELECT '1 day 02:03:04.5'::interval AS i, '2026-02-03'::date AS d, NULL::interval AS n");
    assert.equal(rows[0].i.days, 1);
    assert.equal(rows[0].i.hours, 2);
    assert.equal(rows[0].d.getFullYear(), 2026);
    assert.equal(rows[0].n, null);
  }));

check("LIMIT and ANY take parameters", () =>
  connected(async (client) => {
    assert.equal((await client.query("SELECT event_id FROM cloudtrail LIMIT $1", [4])).rows.length, 4);
    const any = await value(client, "SELECT count(*) FROM cloudtrail WHERE action = ANY($1)", [["ConsoleLogin", "GetObject"]]);
    assert.equal(any, await value(client, "SELECT count(*) FROM cloudtrail WHERE action IN ('ConsoleLogin', 'GetObject')"));
    assert.ok(Number(any) > 0);
  }));

check("a named statement is prepared once and reused", () =>
  connected(async (client) => {
    const query = (n) => client.query({ name: "plus", text: "SELECT $1::int4 + 1 AS n", values: [n] });
    for (let n = 0; n < 8; n++) assert.equal((await query(n)).rows[0].n, n + 1);
    assert.equal(await value(client, "SELECT count(*) FROM pg_prepared_statements WHERE name = 'plus'"), "1");
  }));

check("rows as arrays with the command and its count", () =>
  connected(async (client) => {
    const result = await client.query({ text: "SELECT event_id, action FROM okta ORDER BY event_id LIMIT 3", rowMode: "array" });
    assert.equal(result.command, "SELECT");
    assert.equal(result.rowCount, 3);
    assert.ok(Array.isArray(result.rows[0]) && result.rows[0].length === 2);
  }));

check("several statements give several results", () =>
  connected(async (client) => {
    const results = await client.query("SELECT 1 AS a; SET application_name = 'suite'; SELECT 'x' AS b");
    assert.deepEqual(results.map((result) => result.command), ["SELECT", "SET", "SELECT"]);
  }));

check("a cursor reads in parts", () =>
  connected(async (client) => {
    const cursor = client.query(new Cursor("SELECT event_id FROM cloudtrail ORDER BY event_id LIMIT $1", [250]));
    const rows = [];
    for (let part = await cursor.read(60); part.length; part = await cursor.read(60)) rows.push(...part);
    await cursor.close();
    assert.equal(rows.length, 250);
    assert.equal(new Set(rows.map((row) => row.event_id)).size, 250);
  }));

check("a cursor is closed before its end", () =>
  connected(async (client) => {
    const cursor = client.query(new Cursor(STREAM));
    assert.equal((await cursor.read(10)).length, 10);
    await cursor.close();
    assert.equal(await value(client, "SELECT 1 AS one"), 1);
  }, wide));

check("a query stream is left in the middle", () =>
  connected(async (client) => {
    let seen = 0;
    const stream = client.query(new QueryStream(STREAM, [], { batchSize: 100 }));
    for await (const row of stream) if (row && ++seen === 1000) break;
    assert.equal(seen, 1000);
    assert.equal(await value(client, "SELECT 2 AS two"), 2);
  }, wide));

check("COPY TO STDOUT streams the rows", () =>
  connected(async (client) => {
    const stream = client.query(copy.to("COPY (SELECT event_id, action FROM cloudtrail ORDER BY event_id LIMIT 90) TO STDOUT"));
    const parts = [];
    for await (const part of stream) parts.push(part);
    const lines = Buffer.concat(parts).toString().trimEnd().split("\n");
    const { rows } = await client.query("SELECT event_id, action FROM cloudtrail ORDER BY event_id LIMIT 90");
    assert.deepEqual(lines, rows.map((row) => `${row.event_id}\t${row.action}`));
  }));

check("an error has its fields", () =>
  connected(async (client) => {
    const error = await client.query("SELECT actr_name FROM cloudtrail").catch((e) => e);
    assert.equal(error.code, "42703");
    assert.equal(error.position, "8");
    assert.equal(error.severity, "ERROR");
    assert.match(error.hint, /actor_name/);
    assert.equal(await value(client, "SELECT 1 AS one"), 1);
  }));

check("a failed transaction is rolled back", () =>
  connected(async (client) => {
    await client.query("BEGIN");
    assert.equal((await client.query("SELECT 1/0").catch((e) => e)).code, "22012");
    assert.equal((await client.query("SELECT 1").catch((e) => e)).code, "25P02");
    assert.equal((await client.query("COMMIT")).command, "ROLLBACK");
    assert.equal(await value(client, "SELECT 1 AS one"), 1);
  }));

check("notices are events", () =>
  connected(async (client) => {
    const seen = [];
    client.on("notice", (notice) => seen.push(notice.code));
    await client.query("ROLLBACK");
    assert.deepEqual(seen, ["25P01"]);
  }));

check("statement_timeout of the connection", () =>
  connected(
    async (client) => {
      const started = Date.now();
      assert.equal((await client.query(HEAVY).catch((e) => e)).code, "57014");
      assert.ok(Date.now() - started < 1800);
    },
    { statement_timeout: 500 },
  ));

check("pg_cancel_backend from another session", () =>
  connected((client) =>
    connected(async (other) => {
      const pid = await value(client, "SELECT pg_backend_pid() AS pid");
      const running = client.query(HEAVY).catch((e) => e);
      await new Promise((resolve) => setTimeout(resolve, 400));
      const started = Date.now();
      assert.equal(await value(other, "SELECT pg_cancel_backend($1) AS done", [pid]), true);
      assert.equal((await running).code, "57014");
      assert.ok(Date.now() - started < 1500);
    })));

check("a pool serves many queries", async () => {
  const pool = new pg.Pool(options({ max: 8 }));
  const counts = await Promise.all(Array.from({ length: 60 }, (_, n) => pool.query("SELECT count(*)::int4 + $1::int4 AS n FROM okta", [n])));
  assert.deepEqual(counts.map((result) => result.rows[0].n - counts[0].rows[0].n), Array.from({ length: 60 }, (_, n) => n));
  await pool.end();
});

check("SCRAM with the right and the wrong password", async () => {
  if (!product) return;
  const ann = { user: env.E2E_ANN, password: env.E2E_ANN_PASSWORD };
  assert.equal(await connected((client) => value(client, "SELECT current_user AS me"), ann), "ann");
  const error = await connected(() => assert.fail("let in"), { user: env.E2E_MALLORY, password: "wrong" }).catch((e) => e);
  assert.equal(error.code, "28P01");
});

check("TLS with a verified certificate and channel binding", async () => {
  if (!product) return;
  const ssl = { ca: fs.readFileSync(env.E2E_CERTIFICATE), servername: "localhost" };
  const ann = { user: env.E2E_ANN, password: env.E2E_ANN_PASSWORD, ssl, enableChannelBinding: true };
  assert.equal(await connected((client) => value(client, "SELECT current_user AS me"), ann), "ann");
  const stranger = await connected(() => assert.fail("trusted"), { ...ann, ssl: { servername: "localhost" } }).catch((e) => e);
  assert.match(stranger.code || stranger.message, /SELF_SIGNED|self-signed|self signed/);
});

(async () => {
  for (const { name, body } of checks) {
    let error = null;
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error("not within 20 s")), 20000).unref());
    try {
      await Promise.race([body(), late]);
    } catch (caught) {
      error = String(caught && caught.stack ? caught.stack : caught);
    }
    console.log(JSON.stringify({ name, error }));
  }
  process.exit(0);
})();
