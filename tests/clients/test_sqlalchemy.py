"""SQLAlchemy on psycopg2, psycopg and asyncpg: reflection, expressions, streaming; pandas on top of it."""

import asyncio
import datetime

import pytest

from conftest import missing

try:
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import create_async_engine
except ImportError:
    missing("SQLAlchemy", "not installed")

COMMON = ["time", "event_id", "source", "category", "action", "service", "outcome", "reason", "severity"]


def url(lake, driver):
    given = lake.parameters()
    return sa.URL.create(f"postgresql+{driver}", given["user"], None, given["host"], given["port"], given["dbname"])


@pytest.fixture(params=["psycopg2", "psycopg"])
def engine(lake, request):
    engine = sa.create_engine(url(lake, request.param))
    yield engine
    engine.dispose()


@pytest.fixture
def cloudtrail(engine):
    return sa.Table("cloudtrail", sa.MetaData(), schema="logs", autoload_with=engine)


def test_the_server_is_recognised(engine):
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select 1")) == 1
        assert engine.dialect.server_version_info[0] == 15
        assert connection.scalar(sa.text("select pg_catalog.version()")).startswith("PostgreSQL 15")


def test_schemas_tables_and_views_are_listed(engine):
    inspector = sa.inspect(engine)
    assert "logs" in inspector.get_schema_names()
    assert {"cloudtrail", "okta", "github"} <= set(inspector.get_table_names(schema="logs"))
    assert inspector.get_view_names(schema="logs") == ["events"]
    assert inspector.has_table("cloudtrail", schema="logs")
    assert not inspector.has_table("nothing", schema="logs")
    assert inspector.default_schema_name in ("logs", "public")


def test_columns_are_reflected(engine):
    columns = sa.inspect(engine).get_columns("cloudtrail", schema="logs")
    names = [column["name"] for column in columns]
    assert names[: len(COMMON)] == COMMON and "raw" in names
    types = {column["name"]: column["type"] for column in columns}
    assert isinstance(types["time"], sa.TIMESTAMP) and types["time"].timezone
    assert isinstance(types["severity"], sa.SMALLINT)
    assert isinstance(types["src_asn"], sa.BIGINT)
    assert isinstance(types["mfa"], sa.BOOLEAN)
    assert isinstance(types["action"], sa.TEXT)


def test_constraints_and_indexes_are_asked_for(engine):
    inspector = sa.inspect(engine)
    assert inspector.get_pk_constraint("cloudtrail", schema="logs")["constrained_columns"] == []
    assert inspector.get_foreign_keys("cloudtrail", schema="logs") == []
    assert inspector.get_indexes("cloudtrail", schema="logs") == []
    assert inspector.get_unique_constraints("cloudtrail", schema="logs") == []
    assert inspector.get_check_constraints("cloudtrail", schema="logs") == []
    assert "text" in inspector.get_table_comment("cloudtrail", schema="logs")


def test_the_definition_of_a_view(engine):
    assert "select" in sa.inspect(engine).get_view_definition("events", schema="logs").lower()


def test_a_whole_schema_is_reflected(engine):
    metadata = sa.MetaData()
    metadata.reflect(engine, schema="logs", views=True)
    assert {"logs.cloudtrail", "logs.okta", "logs.events"} <= set(metadata.tables)


def test_an_expression_runs(engine, cloudtrail):
    c = cloudtrail.c
    statement = (
        sa.select(c.outcome, sa.func.count().label("events"), sa.func.max(c.time))
        .where(c.action.in_(["ConsoleLogin", "GetObject"]), c.severity >= 0)
        .group_by(c.outcome)
        .order_by(sa.desc("events"))
        .limit(5)
    )
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    assert rows and rows == sorted(rows, key=lambda row: -row.events)
    assert isinstance(rows[0][2], datetime.datetime)


def test_json_paths_of_the_raw_event(engine, cloudtrail):
    with engine.connect() as connection:
        statement = sa.select(cloudtrail.c.raw.op("->>")("eventName")).where(cloudtrail.c.raw.isnot(None)).limit(3)
        names = connection.scalars(statement).all()
    assert len(names) == 3 and all(names)


def test_a_window_over_a_subquery(engine, cloudtrail):
    c = cloudtrail.c
    ranked = sa.select(
        c.actor_name, c.time, sa.func.row_number().over(partition_by=c.actor_name, order_by=c.time.desc()).label("n")
    ).where(c.actor_name.isnot(None)).subquery()
    with engine.connect() as connection:
        rows = connection.execute(sa.select(ranked).where(ranked.c.n == 1)).all()
        people = connection.scalar(sa.select(sa.func.count(sa.distinct(c.actor_name))))
    assert len(rows) == people > 0


def test_rows_stream(engine, cloudtrail):
    statement = sa.select(cloudtrail.c.event_id).order_by(cloudtrail.c.event_id).limit(700)
    with engine.connect() as connection:
        streamed = [row[0] for row in connection.execution_options(yield_per=64).execute(statement)]
        assert streamed == connection.scalars(statement).all() and len(streamed) == 700


def test_isolation_levels(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert connection.scalar(sa.text("select 2")) == 2
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
        assert connection.scalar(sa.text("show transaction_isolation")) == "repeatable read"


def test_a_savepoint(engine):
    with engine.begin() as connection:
        with pytest.raises(sa.exc.DBAPIError):
            with connection.begin_nested():
                connection.execute(sa.text("select 1/0"))
        assert connection.scalar(sa.text("select 3")) == 3


@pytest.mark.product
def test_a_write_is_refused(engine, cloudtrail):
    for statement in (cloudtrail.delete(), cloudtrail.insert().values(event_id="x"), cloudtrail.update().values(action="x")):
        with pytest.raises(sa.exc.DBAPIError) as caught, engine.connect() as connection:
            connection.execute(statement)
        state = getattr(caught.value.orig, "pgcode", None) or caught.value.orig.sqlstate
        assert state == "25006"


def test_the_asynchronous_engine(lake):
    async def body():
        engine = create_async_engine(url(lake, "asyncpg"))
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda c: sa.inspect(c).get_table_names(schema="logs"))
            statement = sa.text("SELECT count(*) FROM cloudtrail WHERE action = :action")
            counted = await connection.scalar(statement, {"action": "ConsoleLogin"})
        await engine.dispose()
        return names, counted

    names, counted = asyncio.run(body())
    assert "cloudtrail" in names and counted > 0


def test_pandas_reads_queries_and_tables(lake):
    try:
        import pandas
    except ImportError:
        missing("pandas", "not installed")
    engine = sa.create_engine(url(lake, "psycopg"))
    frame = pandas.read_sql_query(
        sa.text("SELECT action, count(*) AS n FROM cloudtrail GROUP BY action HAVING count(*) > :least"), engine, params={"least": 0}
    )
    assert frame["n"].sum() > 0 and str(frame["n"].dtype) == "int64"
    table = pandas.read_sql_table("github", engine, schema="logs", columns=["time", "event_id", "severity"])
    assert len(table) > 0 and str(table["time"].dtype).startswith("datetime64")
    chunks = list(pandas.read_sql_query("SELECT event_id FROM cloudtrail LIMIT 90", engine, chunksize=40))
    assert [len(chunk) for chunk in chunks] == [40, 40, 10]
    engine.dispose()
