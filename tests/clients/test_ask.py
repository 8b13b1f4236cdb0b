"""ASK over the wire: rows, the NOTICE with the SQL, follow-ups, refusals, the ask() function, frozen time."""

import psycopg
import pytest

pytestmark = pytest.mark.product

ROOT_LOGINS = "SELECT event_id FROM cloudtrail WHERE action = 'ConsoleLogin' AND outcome = 'failure' AND actor_type = 'Root'"


@pytest.fixture
def connection(lake):
    with psycopg.connect(**lake.parameters(), autocommit=True) as connection:
        connection.seen = []
        yield connection


def listen(connection):
    seen = []
    connection.add_notice_handler(lambda diag: seen.append((diag.severity, diag.message_primary, diag.message_detail)))
    return seen


def names(cursor):
    return [column.name for column in cursor.description]


def test_the_question_of_the_first_page(connection):
    seen = listen(connection)
    cursor = connection.execute("ASK 'failed console logins by root'")
    at = names(cursor).index("event_id")
    asked = {row[at] for row in cursor.fetchall()}
    assert asked == {row[0] for row in connection.execute(ROOT_LOGINS).fetchall()} and len(asked) > 0
    assert seen[0][0] == "NOTICE" and "SELECT" in seen[0][1] and "USD" in (seen[0][2] or seen[0][1])


@pytest.mark.parametrize(
    "question",
    [
        "failed console logins by root", "failed logins from outside the US this week", "top 10 source IPs by failed logins",
        "who disabled MFA yesterday?", "List all S3 buckets created in the last 24 hours", "who created access keys in the last 7 days",
        "who stopped cloudtrail logging", "repos made public", "kubectl exec into pods", "s3 buckets made public",
        "security groups opened to the world in last 7 days", "how many events per source",
        "ssh brute force: top 5 attacker ips in syslog last 30 days", "high and critical findings from any tool in the last 3 days",
    ],
)
def test_a_question_of_the_demo_is_answered(connection, question):
    seen = listen(connection)
    rows = connection.execute(f"ASK '{question}'").fetchall()
    assert len(seen) >= 1 and "SELECT" in seen[0][1]
    assert len(rows) <= 1000


def test_the_sql_of_the_notice_gives_the_same_rows(connection):
    seen = listen(connection)
    asked = connection.execute("ASK 'top 10 source IPs by failed logins'").fetchall()
    sql = seen[0][1].removeprefix("SQL: ")
    assert connection.execute(sql).fetchall() == asked and 0 < len(asked) <= 10


def test_ask_as_a_table(connection):
    asked = connection.execute("ASK 'top 10 source IPs by failed logins'").fetchall()
    cursor = connection.execute("SELECT * FROM ask('top 10 source IPs by failed logins')")
    columns = names(cursor)
    assert cursor.fetchall() == asked
    counted = connection.execute("SELECT count(*) FROM ask('top 10 source IPs by failed logins')").fetchone()[0]
    assert counted == len(asked)
    filtered = connection.execute(f"SELECT a.{columns[0]} FROM ask('top 10 source IPs by failed logins') AS a LIMIT 2").fetchall()
    assert len(filtered) == 2


def test_a_question_can_be_prepared_and_copied(connection):
    rows = connection.execute("ASK 'failed console logins by root'", prepare=True).fetchall()
    again = connection.execute("ASK 'failed console logins by root'", prepare=True).fetchall()
    assert rows == again
    with connection.cursor().copy("COPY (SELECT * FROM ask('failed console logins by root')) TO STDOUT") as copy:
        assert b"".join(copy).count(b"\n") == len(rows)


def test_explain_ask_runs_nothing(connection):
    lines = [row[0] for row in connection.execute("EXPLAIN ASK 'failed console logins by root'").fetchall()]
    text = "\n".join(str(line) for line in lines)
    assert "ConsoleLogin" in text and "SELECT" in text and "USD" in text


def test_explain_in_the_sql_of_another_engine(connection):
    text = "\n".join(str(row) for row in connection.execute("EXPLAIN (DIALECT datafusion) SELECT count(*) FROM okta").fetchall())
    assert "okta" in text


def test_a_follow_up_narrows(connection):
    everybody = connection.execute("ASK 'failed console logins'").fetchall()
    root = connection.execute("ASK 'only the ones by root'").fetchall()
    assert 0 < len(root) <= len(everybody)
    assert len(root) == len(connection.execute(ROOT_LOGINS).fetchall())


def test_a_follow_up_belongs_to_its_session(lake, connection):
    connection.execute("ASK 'failed console logins'")
    with psycopg.connect(**lake.parameters(), autocommit=True) as other:
        with pytest.raises(psycopg.Error):
            other.execute("ASK 'only the ones by root'")


@pytest.mark.parametrize("question", ["colourless green ideas sleep furiously", "what is the meaning of life", "", "DROP TABLE okta", "tell me a joke"])
def test_what_is_not_understood_is_said(connection, question):
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(f"ASK '{question}'")
    assert caught.value.sqlstate not in ("XX000", None)
    assert caught.value.diag.message_hint or caught.value.diag.message_detail
    assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_a_filter_is_never_guessed_away(connection):
    with pytest.raises(psycopg.Error):
        connection.execute("ASK 'failed console logins by root on a sunny tuesday with purple shoes'")


def test_an_ask_returns_a_thousand_rows_at_most(connection):
    seen = listen(connection)
    assert len(connection.execute("ASK 'all cloudtrail events'").fetchall()) == 1000
    assert any("1000" in message.replace(",", "") for _, message, _ in seen)
    connection.execute("SET mantissa.max_rows = 5")
    assert len(connection.execute("ASK 'all cloudtrail events'").fetchall()) == 5


def test_time_can_be_held_still(connection):
    connection.execute("SET mantissa.now = '2020-06-15 12:00:00+00'")
    assert connection.execute("SELECT now()::text").fetchone()[0].startswith("2020-06-15 12:00:00")
    assert connection.execute("SELECT current_date::text").fetchone()[0] == "2020-06-15"
    assert connection.execute("SELECT count(*) FROM cloudtrail WHERE \"time\" < now()").fetchone()[0] == 0
    connection.execute("SET mantissa.now = '2040-01-01 00:00:00+00'")
    assert connection.execute("ASK 'failed console logins in the last 24 hours'").fetchall() == []
    connection.execute("RESET mantissa.now")
    assert connection.execute("SELECT count(*) > 0 FROM cloudtrail WHERE \"time\" < now()").fetchone()[0]
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        connection.execute("SET mantissa.now = 'whenever'")


def test_a_question_as_a_parameter_is_refused_with_a_hint(connection):
    """Its columns must be known before its value is."""
    with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
        connection.execute("SELECT * FROM ask(%s)", ("failed console logins by root",))
    assert "ask('" in caught.value.diag.message_hint


def test_settings_of_the_product(connection):
    assert connection.execute("SHOW mantissa.engine").fetchone()[0] == "lake"
    assert connection.execute("SHOW mantissa.max_rows").fetchone()[0]
    with pytest.raises(psycopg.errors.UndefinedObject):
        connection.execute("SET mantissa.nothing = 1")
