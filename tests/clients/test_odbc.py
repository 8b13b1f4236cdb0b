"""psqlODBC through pyodbc: the driver is named by its path, so nothing on the machine is configured."""

import datetime
import decimal
import glob
import threading
import time

import pytest

from conftest import missing
from statements import HEAVY, ROWS, STREAM

DRIVERS = sorted(glob.glob("/usr/lib/*/odbc/psqlodbcw.so"))

try:
    import pyodbc
except ImportError:
    missing("ODBC", "pyodbc or unixodbc is not installed")
if not DRIVERS:
    missing("ODBC", "the package odbc-postgresql is not installed")


@pytest.fixture
def connect(lake):
    opened = []

    def connect(user="demo", **options):
        given = lake.parameters(user)
        parts = {
            "DRIVER": DRIVERS[0], "Server": given["host"], "Port": given["port"], "Database": given["dbname"],
            "Uid": given["user"], "Pwd": "{" + given.get("password", "") + "}", "BoolsAsChar": 0, **options,
        }
        opened.append(pyodbc.connect(";".join(f"{name}={value}" for name, value in parts.items()), autocommit=True, timeout=10))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture(params=[{}, {"UseServerSidePrepare": 0}], ids=["server-side", "client-side"])
def connection(connect, request):
    return connect(**request.param)


def test_the_driver_recognises_the_server(connect):
    connection = connect()
    assert connection.getinfo(pyodbc.SQL_DBMS_NAME) == "PostgreSQL"
    assert connection.getinfo(pyodbc.SQL_DBMS_VER).startswith("15")
    assert connection.getinfo(pyodbc.SQL_DATABASE_NAME) == "lake"


@pytest.mark.parametrize(
    "type_name, given",
    [
        ("int4", 42), ("int8", 2**40), ("float8", 1.25), ("text", "é 'x'"), ("numeric(12,3)", decimal.Decimal("1.500")),
        ("date", datetime.date(2026, 2, 3)), ("timestamp", datetime.datetime(2026, 2, 3, 4, 5, 6, 789000)),
        ("bytea", b"\x00\x01\xff"), ("text", None), ("bool", True),
    ],
    ids=lambda v: str(v)[:20],
)
def test_a_value_comes_back_as_it_went(connection, type_name, given):
    assert connection.execute(f"SELECT CAST(? AS {type_name})", given).fetchval() == given


def test_rows_and_parameters(connection):
    total = connection.execute("SELECT count(*) FROM cloudtrail").fetchval()
    yes = connection.execute("SELECT count(*) FROM cloudtrail WHERE action = ?", "ConsoleLogin").fetchval()
    no = connection.execute("SELECT count(*) FROM cloudtrail WHERE action <> ?", "ConsoleLogin").fetchval()
    assert 0 < yes < total and yes + no == total
    assert len(connection.execute("SELECT event_id FROM cloudtrail LIMIT ?", 7).fetchall()) == 7


def test_tables_and_columns(connect):
    cursor = connect().cursor()
    tables = {row.table_name: row.table_type for row in cursor.tables(schema="logs")}
    assert tables["cloudtrail"] == "TABLE" and tables["events"] == "VIEW"
    columns = {row.column_name: row.type_name for row in cursor.columns(table="cloudtrail", schema="logs")}
    assert columns["time"] == "timestamptz" and columns["severity"] == "int2" and columns["src_asn"] == "int8"
    assert {row.table_schem for row in cursor.tables(schema="%", catalog="", table="").fetchall()} >= {"logs"}


def test_keys_statistics_and_types(connect):
    cursor = connect().cursor()
    assert cursor.primaryKeys(table="cloudtrail", schema="logs").fetchall() == []
    assert cursor.foreignKeys(table="cloudtrail", schema="logs").fetchall() == []
    cursor.statistics(table="cloudtrail", schema="logs").fetchall()
    assert any(row.type_name == "timestamptz" for row in cursor.getTypeInfo().fetchall())


def test_declare_and_fetch(connect):
    connection = connect(UseDeclareFetch=1, Fetch=25)
    rows = connection.execute(ROWS.format(limit=130)).fetchall()
    assert len(rows) == 130
    assert [tuple(row) for row in rows] == [tuple(row) for row in connect().execute(ROWS.format(limit=130)).fetchall()]


def test_transactions(connect):
    connection = connect()
    connection.autocommit = False
    assert connection.execute("SELECT 1").fetchval() == 1
    with pytest.raises(pyodbc.Error):
        connection.execute("SELECT 1/0")
    connection.rollback()
    assert connection.execute("SELECT 2").fetchval() == 2
    connection.commit()


def test_an_error_has_its_code(connect):
    connection = connect()
    for sql, state in (("SELECT nope FROM okta", "42703"), ("SELECT * FROM nope", "42P01"), ("SELEC", "42601")):
        with pytest.raises(pyodbc.Error) as caught:
            connection.execute(sql)
        assert caught.value.args[0] == state or "does not exist" in str(caught.value)


def test_cancel(connect):
    connection = connect()
    cursor = connection.cursor()
    threading.Timer(0.5, cursor.cancel).start()
    started = time.monotonic()
    with pytest.raises(pyodbc.Error):
        cursor.execute(HEAVY)
    assert time.monotonic() - started < 2.5
    assert connection.execute("SELECT 1").fetchval() == 1


@pytest.mark.product
def test_a_password_logs_in(connect):
    assert connect("ann", SSLmode="require").execute("SELECT current_user").fetchval() == "ann"
    with pytest.raises(pyodbc.Error):
        connect("mallory", Pwd="wrong")
