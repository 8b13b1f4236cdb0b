"""Statements that several suites run."""

# Hours of work in one count: something to cancel.
HEAVY = (
    "SELECT count(*) FROM cloudtrail a JOIN cloudtrail b ON a.source = b.source "
    "JOIN cloudtrail c ON b.source = c.source WHERE a.event_id < b.event_id AND b.event_id < c.event_id"
)

# Millions of rows that start at once: something to leave half read. For a user whose ceiling allows them.
STREAM = (
    "SELECT a.event_id, a.action, b.src_ip, b.event_id AS other FROM cloudtrail a JOIN cloudtrail b ON a.source = b.source"
)

# Ordered, so that two runs give the same rows.
ROWS = (
    "SELECT event_id, \"time\", action, severity, src_port, mfa, src_asn FROM cloudtrail ORDER BY event_id LIMIT {limit}"
)
