import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;
import org.postgresql.util.PGInterval;
import org.postgresql.util.PSQLException;

/** pgjdbc against the server. Prints one line of JSON a check. */
public class Suite {
    static final Map<String, String> ENV = System.getenv();
    static final boolean PRODUCT = "1".equals(ENV.get("E2E_PRODUCT"));
    static final String HEAVY =
        "SELECT count(*) FROM cloudtrail a JOIN cloudtrail b ON a.source = b.source "
            + "JOIN cloudtrail c ON b.source = c.source WHERE a.event_id < b.event_id AND b.event_id < c.event_id";
    static final String STREAM =
        "SELECT a.event_id, b.src_ip FROM cloudtrail a JOIN cloudtrail b ON a.source = b.source";
    static final Map<String, Body> CHECKS = new LinkedHashMap<>();

    interface Body {
        void run() throws Exception;
    }

    static void check(String name, Body body) {
        CHECKS.put(name, body);
    }

    static Connection connect(String... options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", ENV.get("E2E_USER"));
        properties.setProperty("connectTimeout", "10");
        for (int i = 0; i < options.length; i += 2) properties.setProperty(options[i], options[i + 1]);
        String url = "jdbc:postgresql://" + ENV.get("E2E_HOST") + ":" + ENV.get("E2E_PORT") + "/" + ENV.get("E2E_DATABASE");
        return DriverManager.getConnection(url, properties);
    }

    static Connection wide(String... options) throws SQLException {
        List<String> all = new ArrayList<>(List.of("user", ENV.get("E2E_WIDE"), "password", ENV.get("E2E_WIDE_PASSWORD")));
        all.addAll(List.of(options));
        return connect(all.toArray(String[]::new));
    }

    static void expect(Object expected, Object got) {
        if (!Objects.deepEquals(expected, got)) throw new AssertionError("expected " + expected + ", got " + got);
    }

    static void expect(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static SQLException fails(String state, Body body) throws Exception {
        try {
            body.run();
        } catch (SQLException e) {
            expect(state, e.getSQLState());
            return e;
        }
        throw new AssertionError("no error, expected " + state);
    }

    static Object value(Connection c, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement s = c.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) s.setObject(i + 1, parameters[i]);
            try (ResultSet r = s.executeQuery()) {
                r.next();
                return r.getObject(1);
            }
        }
    }

    /** The values of one column of a metadata call. */
    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) found.add(rows.getString(name));
        return found;
    }

    static void values() {
        check("values of every type, in text and then in binary", () -> {
            try (Connection c = connect("prepareThreshold", "2")) {
                Object[][] given = {
                    {"int2", 7}, {"int4", -8}, {"int8", 1L << 40}, {"float4", 0.5f}, {"float8", -1e-9},
                    {"numeric", new BigDecimal("12345.678900")}, {"text", "é 漢 🙂 '"}, {"bool", true},
                    {"date", java.sql.Date.valueOf("2026-02-03")}, {"uuid", new UUID(1, 2)},
                };
                for (Object[] pair : given)
                    for (int round = 0; round < 6; round++) {
                        Object got = value(c, "SELECT ?::" + pair[0], pair[1]);
                        Object expected = pair[0].equals("int2") ? Integer.valueOf(7) : pair[1];
                        expect(expected, got);
                    }
            }
        });
        check("times keep their zone and their micros", () -> {
            try (Connection c = connect("prepareThreshold", "1");
                PreparedStatement s = c.prepareStatement("SELECT ?::timestamptz, ?::timestamp, ?::time, ?::timestamptz")) {
                OffsetDateTime instant = OffsetDateTime.parse("2026-11-18T15:42:00.123456Z");
                LocalDateTime local = LocalDateTime.parse("1969-12-31T23:59:59.000001");
                for (int round = 0; round < 6; round++) {
                    s.setObject(1, instant);
                    s.setObject(2, local);
                    s.setObject(3, LocalTime.parse("23:59:59.999999"));
                    s.setNull(4, Types.TIMESTAMP_WITH_TIMEZONE);
                    try (ResultSet r = s.executeQuery()) {
                        r.next();
                        expect(instant.toInstant(), r.getObject(1, OffsetDateTime.class).toInstant());
                        expect(local, r.getObject(2, LocalDateTime.class));
                        expect(LocalTime.parse("23:59:59.999999"), r.getObject(3, LocalTime.class));
                        expect(r.getObject(4) == null && r.wasNull(), "NULL expected");
                    }
                }
            }
        });
        check("bytes, arrays and intervals", () -> {
            try (Connection c = connect("prepareThreshold", "1");
                PreparedStatement s = c.prepareStatement("SELECT ?::bytea, ?::text[], '1 year 2 days 3 hours'::interval, NULL::interval")) {
                for (int round = 0; round < 6; round++) {
                    s.setBytes(1, new byte[] {0, 1, -1});
                    s.setArray(2, c.createArrayOf("text", new String[] {"a,b", null, "\""}));
                    try (ResultSet r = s.executeQuery()) {
                        r.next();
                        expect(new byte[] {0, 1, -1}, r.getBytes(1));
                        expect(new String[] {"a,b", null, "\""}, r.getArray(2).getArray());
                        PGInterval interval = (PGInterval) r.getObject(3);
                        expect(1, interval.getYears());
                        expect(2, interval.getDays());
                        expect(3, interval.getHours());
                        expect(r.getObject(4) == null, "a NULL interval is NULL");
                    }
                }
            }
        });
        check("LIMIT, ANY and a time take parameters", () -> {
            try (Connection c = connect(); PreparedStatement s = c.prepareStatement(
                "SELECT event_id FROM cloudtrail WHERE action = ANY(?) AND \"time\" > ? LIMIT ?")) {
                s.setArray(1, c.createArrayOf("text", new String[] {"ConsoleLogin", "GetObject"}));
                s.setObject(2, OffsetDateTime.parse("2020-01-01T00:00:00Z"));
                s.setInt(3, 6);
                int rows = 0;
                try (ResultSet r = s.executeQuery()) {
                    while (r.next()) rows++;
                }
                expect(6, rows);
            }
        });
        check("simple query mode", () -> {
            try (Connection c = connect("preferQueryMode", "simple")) {
                expect(5, value(c, "SELECT ?::int4 + 2", 3));
                expect("it's", value(c, "SELECT ?", "it's"));
            }
        });
    }

    static void rows() {
        check("a fetch size reads in parts", () -> {
            try (Connection c = connect(); Statement s = c.createStatement()) {
                c.setAutoCommit(false);
                s.setFetchSize(50);
                Set<String> seen = new HashSet<>();
                try (ResultSet r = s.executeQuery("SELECT event_id FROM cloudtrail ORDER BY event_id LIMIT 420")) {
                    while (r.next()) seen.add(r.getString(1));
                }
                expect(420, seen.size());
                c.commit();
            }
        });
        check("a large result is left in the middle", () -> {
            try (Connection c = wide(); Statement s = c.createStatement()) {
                c.setAutoCommit(false);
                s.setFetchSize(100);
                try (ResultSet r = s.executeQuery(STREAM)) {
                    for (int i = 0; i < 1000; i++) expect(r.next(), "a row expected");
                }
                expect(1, value(c, "SELECT 1"));
                c.rollback();
            }
        });
        check("setMaxRows ends a result", () -> {
            try (Connection c = connect(); Statement s = c.createStatement()) {
                s.setMaxRows(17);
                int rows = 0;
                try (ResultSet r = s.executeQuery("SELECT event_id FROM cloudtrail")) {
                    while (r.next()) rows++;
                }
                expect(17, rows);
            }
        });
        check("a scrollable result", () -> {
            try (Connection c = connect(); Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
                ResultSet r = s.executeQuery("SELECT n FROM generate_series(1, 9) AS n")) {
                r.last();
                expect(9, r.getInt(1));
                r.absolute(4);
                expect(4, r.getInt(1));
            }
        });
        check("the metadata of a result", () -> {
            try (Connection c = connect(); Statement s = c.createStatement();
                ResultSet r = s.executeQuery("SELECT \"time\" AS moment, severity, raw FROM logs.cloudtrail LIMIT 1")) {
                ResultSetMetaData m = r.getMetaData();
                expect("moment", m.getColumnLabel(1));
                expect("timestamptz", m.getColumnTypeName(1));
                expect("int2", m.getColumnTypeName(2));
                expect("cloudtrail", ((org.postgresql.PGResultSetMetaData) m).getBaseTableName(1));
                expect("time", ((org.postgresql.PGResultSetMetaData) m).getBaseColumnName(1));
            }
        });
        check("the metadata of parameters", () -> {
            try (Connection c = connect(); PreparedStatement s = c.prepareStatement("SELECT 1 FROM cloudtrail WHERE action = ? AND severity > ? LIMIT ?")) {
                ParameterMetaData m = s.getParameterMetaData();
                expect(List.of("text", "int2", "int8"), List.of(m.getParameterTypeName(1), m.getParameterTypeName(2), m.getParameterTypeName(3)));
            }
        });
        check("COPY gives the rows", () -> {
            try (Connection c = connect()) {
                StringWriter out = new StringWriter();
                long rows = c.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY (SELECT event_id, src_port FROM cloudtrail LIMIT 40) TO STDOUT CSV", out);
                expect(40L, rows);
                expect(40, out.toString().split("\n").length);
            }
        });
        check("COPY is cancelled in the middle", () -> {
            try (Connection c = wide()) {
                CopyOut copy = c.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY (" + STREAM + ") TO STDOUT");
                expect(copy.readFromCopy().length > 0, "a row expected");
                copy.cancelCopy();
                expect(!copy.isActive(), "an ended COPY expected");
            }
        });
        check("a batch of statements", () -> {
            try (Connection c = connect(); Statement s = c.createStatement()) {
                expect(s.execute("SELECT 1; SELECT 2"), "rows expected");
                expect(s.getMoreResults(), "more rows expected");
                try (ResultSet r = s.getResultSet()) {
                    r.next();
                    expect(2, r.getInt(1));
                }
            }
        });
    }

    static void transactions() {
        check("savepoints and failed transactions", () -> {
            try (Connection c = connect()) {
                c.setAutoCommit(false);
                expect(1, value(c, "SELECT 1"));
                Savepoint before = c.setSavepoint("before");
                fails("22012", () -> value(c, "SELECT 1/0"));
                fails("25P02", () -> value(c, "SELECT 1"));
                c.rollback(before);
                expect(2, value(c, "SELECT 2"));
                c.commit();
            }
        });
        check("isolation, read only and schema", () -> {
            try (Connection c = connect()) {
                c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                expect(Connection.TRANSACTION_SERIALIZABLE, c.getTransactionIsolation());
                c.setReadOnly(true);
                c.setSchema("logs");
                expect("logs", c.getSchema());
                expect(c.isValid(3), "valid expected");
            }
        });
        check("an error has code, position and hint", () -> {
            try (Connection c = connect()) {
                PSQLException e = (PSQLException) fails("42703", () -> value(c, "SELECT actr_name FROM cloudtrail"));
                expect(8, e.getServerErrorMessage().getPosition());
                expect(String.valueOf(e.getServerErrorMessage().getHint()).contains("actor_name"), "a hint expected");
            }
        });
        check("warnings are kept on the statement", () -> {
            try (Connection c = connect(); Statement s = c.createStatement()) {
                s.execute("ROLLBACK");
                expect("25P01", s.getWarnings().getSQLState());
            }
        });
        check("setQueryTimeout stops a statement", () -> {
            try (Connection c = connect(); Statement s = c.createStatement()) {
                s.setQueryTimeout(1);
                long started = System.nanoTime();
                fails("57014", () -> s.executeQuery(HEAVY));
                expect((System.nanoTime() - started) / 1_000_000 < 2500, "too late");
                expect(1, value(c, "SELECT 1"));
            }
        });
        check("cancel from another thread stops a statement", () -> {
            try (Connection c = connect(); Statement s = c.createStatement()) {
                ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
                later.schedule(() -> { s.cancel(); return null; }, 500, TimeUnit.MILLISECONDS);
                later.shutdown();
                long started = System.nanoTime();
                fails("57014", () -> s.executeQuery(HEAVY));
                expect((System.nanoTime() - started) / 1_000_000 < 2000, "too late");
                expect(1, value(c, "SELECT 1"));
            }
        });
    }

    static void metadata() {
        check("the product and its version", () -> {
            try (Connection c = connect()) {
                DatabaseMetaData m = c.getMetaData();
                expect("PostgreSQL", m.getDatabaseProductName());
                expect(15, m.getDatabaseMajorVersion());
                expect(ENV.get("E2E_USER"), m.getUserName());
                expect(63, m.getMaxColumnNameLength());
                expect(m.getMaxIndexLength() == 0 && m.getMaxConnections() > 0, "limits expected");
            }
        });
        check("getSchemas and getCatalogs", () -> {
            try (Connection c = connect()) {
                expect(column(c.getMetaData().getSchemas(), "TABLE_SCHEM").containsAll(List.of("logs", "pg_catalog", "information_schema")), "schemas");
                expect(column(c.getMetaData().getCatalogs(), "TABLE_CAT").contains("lake"), "catalogs");
            }
        });
        check("getTables", () -> {
            try (Connection c = connect()) {
                DatabaseMetaData m = c.getMetaData();
                expect(column(m.getTables(null, "logs", "%", new String[] {"TABLE"}), "TABLE_NAME").containsAll(List.of("cloudtrail", "okta")), "tables");
                expect(List.of("events"), column(m.getTables(null, "logs", "%", new String[] {"VIEW"}), "TABLE_NAME"));
                expect(List.of("cloudtrail"), column(m.getTables("lake", "logs", "cloud%", null), "TABLE_NAME"));
                expect(column(m.getTables(null, "pg_catalog", "pg_class", null), "TABLE_NAME").size() == 1, "pg_class");
                expect(column(m.getTableTypes(), "TABLE_TYPE").contains("VIEW"), "types");
            }
        });
        check("getColumns", () -> {
            try (Connection c = connect(); ResultSet r = c.getMetaData().getColumns(null, "logs", "cloudtrail", "%")) {
                Map<String, Integer> types = new LinkedHashMap<>();
                while (r.next()) types.put(r.getString("COLUMN_NAME"), r.getInt("DATA_TYPE"));
                expect("time", types.keySet().iterator().next());
                expect(Types.TIMESTAMP, types.get("time"));
                expect(Types.SMALLINT, types.get("severity"));
                expect(Types.BIGINT, types.get("src_asn"));
                expect(Types.BIT, types.get("mfa"));
                expect(Types.VARCHAR, types.get("action"));
            }
        });
        check("keys, indexes and privileges", () -> {
            try (Connection c = connect()) {
                DatabaseMetaData m = c.getMetaData();
                expect(List.of(), column(m.getPrimaryKeys(null, "logs", "cloudtrail"), "COLUMN_NAME"));
                expect(List.of(), column(m.getImportedKeys(null, "logs", "cloudtrail"), "FKCOLUMN_NAME"));
                expect(List.of(), column(m.getExportedKeys(null, "logs", "cloudtrail"), "FKCOLUMN_NAME"));
                expect(List.of(), column(m.getCrossReference(null, "logs", "cloudtrail", null, "logs", "okta"), "FKCOLUMN_NAME"));
                expect(List.of(), column(m.getIndexInfo(null, "logs", "cloudtrail", false, true), "COLUMN_NAME"));
                expect(List.of(), column(m.getBestRowIdentifier(null, "logs", "cloudtrail", 0, true), "COLUMN_NAME"));
                column(m.getVersionColumns(null, "logs", "cloudtrail"), "COLUMN_NAME");
                column(m.getTablePrivileges(null, "logs", "cloudtrail"), "PRIVILEGE");
                column(m.getColumnPrivileges(null, "logs", "cloudtrail", "%"), "PRIVILEGE");
            }
        });
        check("getTypeInfo, getUDTs and functions", () -> {
            try (Connection c = connect()) {
                DatabaseMetaData m = c.getMetaData();
                expect(column(m.getTypeInfo(), "TYPE_NAME").containsAll(List.of("int4", "timestamptz", "text", "numeric")), "types");
                column(m.getUDTs(null, null, "%", null), "TYPE_NAME");
                expect(column(m.getFunctions(null, "pg_catalog", "lower"), "FUNCTION_NAME").contains("lower"), "functions");
                column(m.getFunctionColumns(null, "pg_catalog", "lower", "%"), "COLUMN_NAME");
                column(m.getProcedures(null, null, "%"), "PROCEDURE_NAME");
                expect(m.getSQLKeywords().length() > 100, "keywords");
                column(m.getClientInfoProperties(), "NAME");
            }
        });
    }

    static void logins() {
        check("SCRAM with the right and the wrong password", () -> {
            if (!PRODUCT) return;
            String user = ENV.get("E2E_ANN");
            try (Connection c = connect("user", user, "password", ENV.get("E2E_ANN_PASSWORD"))) {
                expect(user, value(c, "SELECT current_user"));
            }
            fails("28P01", () -> connect("user", ENV.get("E2E_MALLORY"), "password", "wrong"));
        });
        check("TLS with a verified certificate and required channel binding", () -> {
            if (!PRODUCT) return;
            String[] options = {
                "user", ENV.get("E2E_ANN"), "password", ENV.get("E2E_ANN_PASSWORD"), "sslmode", "verify-full",
                "sslrootcert", ENV.get("E2E_CERTIFICATE"), "channelBinding", "require",
            };
            try (Connection c = connect(options)) {
                expect(ENV.get("E2E_ANN"), value(c, "SELECT current_user"));
            }
        });
        check("an unknown database is refused", () -> {
            String url = "jdbc:postgresql://" + ENV.get("E2E_HOST") + ":" + ENV.get("E2E_PORT") + "/nowhere";
            fails("3D000", () -> DriverManager.getConnection(url, ENV.get("E2E_USER"), ""));
        });
    }

    public static void main(String[] arguments) throws Exception {
        values();
        rows();
        transactions();
        metadata();
        logins();
        ExecutorService worker = Executors.newCachedThreadPool();
        for (Map.Entry<String, Body> entry : CHECKS.entrySet()) {
            String error = null;
            try {
                worker.submit(() -> { entry.getValue().run(); return null; }).get(20, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                error = "not within 20 s";
            } catch (ExecutionException e) {
                StringWriter trace = new StringWriter();
                e.getCause().printStackTrace(new java.io.PrintWriter(trace));
                error = trace.toString();
            }
            System.out.println("{\"name\": " + quote(entry.getKey()) + ", \"error\": " + (error == null ? "null" : quote(error)) + "}");
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 32 || c > 126) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }
}
