//! Our own small inputs in every format, and the rows they become.

#![allow(clippy::unwrap_used)]

mod support;

use mantissa_lake::{GeoRange, GeoSource, Lake, LakeOptions, Place};
use support::{cells, column, lake, options};

const WHO: &[&str] = &["time", "category", "action", "service", "outcome", "reason", "severity"];
const PEOPLE: &[&str] =
    &["actor_id", "actor_name", "actor_type", "actor_email", "target_id", "target_name", "target_type"];

fn ingest(source: &str, text: &str) -> (tempfile::TempDir, Lake) {
    let (folder, lake) = lake();
    lake.ingest_bytes(source, "input", text.as_bytes()).unwrap();
    (folder, lake)
}

#[test]
fn cloudtrail_console_login_by_root_fails() {
    let (_folder, lake) = ingest(
        "cloudtrail",
        r#"{"Records":[{"eventVersion":"1.08","userIdentity":{"type":"Root","principalId":"1","arn":"arn:aws:iam::1:root",
        "accountId":"1"},"eventTime":"2026-01-02T03:04:05Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin",
        "awsRegion":"us-east-1","sourceIPAddress":"203.0.113.5","userAgent":"M","errorMessage":"Failed authentication",
        "requestParameters":null,"responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MFAUsed":"No"},
        "eventID":"e-1","readOnly":"false","recipientAccountId":"2"}]}"#,
    );
    assert_eq!(
        cells(&lake, "cloudtrail", 0, WHO),
        "time=2026-01-02T03:04:05Z | category=authentication | action=ConsoleLogin | service=signin.amazonaws.com | \
         outcome=failure | reason=Failed authentication | severity=1"
    );
    assert_eq!(
        cells(
            &lake,
            "cloudtrail",
            0,
            &["event_id", "source", "actor_name", "actor_type", "src_ip", "account_id", "mfa", "read_only"]
        ),
        "event_id=e-1 | source=cloudtrail | actor_name=root | actor_type=Root | src_ip=203.0.113.5 | account_id=2 | \
         mfa=false | read_only=false"
    );
    let raw: serde_json::Value = serde_json::from_str(&column(&lake, "cloudtrail", "raw")[0]).unwrap();
    assert_eq!(raw["responseElements"]["ConsoleLogin"], "Failure");
}

#[test]
fn cloudtrail_assumed_role_carries_role_session_and_target() {
    let (_folder, lake) = ingest(
        "cloudtrail",
        r#"{"detail-type":"AWS API Call via CloudTrail","time":"2026-01-02T00:00:00Z","detail":{"userIdentity":{"type":"AssumedRole",
        "arn":"arn:aws:sts::1:assumed-role/Engineer/bob@corp.com","principalId":"A:bob@corp.com","accountId":"1","accessKeyId":"K",
        "sessionContext":{"sessionIssuer":{"userName":"Engineer"},"attributes":{"mfaAuthenticated":"true"}}},
        "eventSource":"s3.amazonaws.com","eventName":"DeleteBucket","errorCode":"AccessDenied","sourceIPAddress":"AWS Internal",
        "requestParameters":{"bucketName":"b-1"},"resources":null}}"#,
    );
    assert_eq!(
        cells(&lake, "cloudtrail", 0, PEOPLE),
        "actor_id=arn:aws:sts::1:assumed-role/Engineer/bob@corp.com | actor_name=Engineer | actor_type=AssumedRole | \
         actor_email=bob@corp.com | target_id=- | target_name=b-1 | target_type=bucket"
    );
    assert_eq!(
        cells(&lake, "cloudtrail", 0, &["time", "outcome", "reason", "src_ip", "session_id", "mfa", "category"]),
        "time=2026-01-02T00:00:00Z | outcome=failure | reason=AccessDenied | src_ip=AWS Internal | session_id=K | mfa=true | \
         category=api_activity"
    );
    assert!(column(&lake, "cloudtrail", "raw")[0].starts_with(r#"{"userIdentity""#));
}

#[test]
fn cloudtrail_lookup_events_hold_the_record_as_text() {
    let record = r#"{\"eventTime\":\"2026-01-02T00:00:00Z\",\"eventSource\":\"iam.amazonaws.com\",\"eventName\":\"CreateUser\",\"requestParameters\":{\"userName\":\"eve\"},\"eventID\":\"x\"}"#;
    let (_folder, lake) =
        ingest("cloudtrail", &format!(r#"{{"Events":[{{"EventId":"x","CloudTrailEvent":"{record}"}}]}}"#));
    assert_eq!(
        cells(&lake, "cloudtrail", 0, &["event_id", "action", "category", "target_name", "outcome"]),
        "event_id=x | action=CreateUser | category=account_change | target_name=eve | outcome=success"
    );
}

#[test]
fn vpc_flow_lines_with_and_without_header() {
    let (_folder, lake) = ingest(
        "vpc_flow",
        "2 123 eni-1 10.0.0.1 198.51.100.2 49152 22 6 15 3500 1700000000 1700000060 REJECT OK\n\
         srcaddr dstaddr dstport start action vpc-id\n\
         10.0.0.9 10.0.0.8 443 1700000100 ACCEPT vpc-7\n\
         version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
         2 123 eni-1 - - - - - - - 1700000200 1700000260 - NODATA\n\
         2 123 eni-1\n",
    );
    let names = [
        "time",
        "action",
        "outcome",
        "src_ip",
        "src_port",
        "dst_ip",
        "dst_port",
        "account_id",
        "bytes",
        "protocol",
        "log_status",
        "vpc_id",
    ];
    assert_eq!(
        cells(&lake, "vpc_flow", 0, &names),
        "time=2023-11-14T22:13:20Z | action=REJECT | outcome=failure | src_ip=10.0.0.1 | src_port=49152 | dst_ip=198.51.100.2 | \
         dst_port=22 | account_id=123 | bytes=3500 | protocol=6 | log_status=OK | vpc_id=-"
    );
    assert_eq!(
        cells(&lake, "vpc_flow", 1, &names),
        "time=2023-11-14T22:15:00Z | action=ACCEPT | outcome=success | src_ip=10.0.0.9 | src_port=- | dst_ip=10.0.0.8 | \
         dst_port=443 | account_id=- | bytes=- | protocol=- | log_status=- | vpc_id=vpc-7"
    );
    assert_eq!(
        cells(&lake, "vpc_flow", 2, &["action", "outcome", "log_status"]),
        "action=- | outcome=unknown | log_status=NODATA"
    );
    assert_eq!(
        column(&lake, "vpc_flow", "raw")[1],
        r#"{"srcaddr":"10.0.0.9","dstaddr":"10.0.0.8","dstport":"443","start":"1700000100","action":"ACCEPT","vpc_id":"vpc-7"}"#
    );
    let quarantined = lake.quarantined().unwrap();
    assert_eq!(quarantined.len(), 1);
    assert!(quarantined[0].1.context.as_deref().unwrap().starts_with("version account-id"));
}

#[test]
fn vpc_flow_json_in_any_spelling() {
    let (_folder, lake) = ingest(
        "vpc_flow",
        r#"{"srcAddr":"10.0.0.1","dstAddr":"10.0.0.2","dstPort":22,"start":1700000000,"flowDirection":"egress"}
           {"account-id":"5","srcaddr":"-","action":"ACCEPT","start":"1700000001"}"#,
    );
    let names = ["src_ip", "dst_ip", "dst_port", "account_id", "action", "flow_direction"];
    assert_eq!(
        cells(&lake, "vpc_flow", 0, &names),
        "src_ip=10.0.0.1 | dst_ip=10.0.0.2 | dst_port=22 | account_id=- | action=- | flow_direction=egress"
    );
    assert_eq!(
        cells(&lake, "vpc_flow", 1, &names),
        "src_ip=- | dst_ip=- | dst_port=- | account_id=5 | action=ACCEPT | flow_direction=-"
    );
}

#[test]
fn okta_login_that_fails() {
    let (_folder, lake) = ingest(
        "okta",
        r#"[{"uuid":"u","published":"2026-01-02T03:04:05.678Z","eventType":"user.session.start","severity":"WARN",
        "displayMessage":"User login to Okta","actor":{"id":"a","type":"User","alternateId":"ann@corp.com","displayName":"Ann"},
        "client":{"ipAddress":"203.0.113.9","userAgent":{"rawUserAgent":"UA"},"geographicalContext":{"city":"Bonn","country":"Germany"}},
        "outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"target":[{"id":"t","type":"AppInstance","alternateId":"Slack"}],
        "authenticationContext":{"externalSessionId":"s-1"},"securityContext":{"asNumber":64500,"asOrg":"Example"}}]"#,
    );
    assert_eq!(
        cells(&lake, "okta", 0, WHO),
        "time=2026-01-02T03:04:05.678Z | category=authentication | action=user.session.start | service=- | outcome=failure | \
         reason=INVALID_CREDENTIALS | severity=3"
    );
    assert_eq!(
        cells(&lake, "okta", 0, PEOPLE),
        "actor_id=a | actor_name=ann@corp.com | actor_type=User | actor_email=ann@corp.com | target_id=t | target_name=Slack | \
         target_type=AppInstance"
    );
    assert_eq!(
        cells(
            &lake,
            "okta",
            0,
            &["src_ip", "src_city", "src_country", "src_asn", "user_agent", "session_id", "display_message"]
        ),
        "src_ip=203.0.113.9 | src_city=Bonn | src_country=- | src_asn=64500 | user_agent=UA | session_id=s-1 | \
         display_message=User login to Okta"
    );
}

#[test]
fn github_audit_entry_with_epoch_milliseconds() {
    let (_folder, lake) = ingest(
        "github",
        r#"{"@timestamp":1700000000123,"_document_id":"d","action":"git.clone","actor":"ann","actor_id":7,"actor_ip":"203.0.113.1",
        "actor_location":{"country_code":"de"},"org":"o","repo":"o/r","user_agent":"git"}"#,
    );
    assert_eq!(
        cells(
            &lake,
            "github",
            0,
            &[
                "time",
                "event_id",
                "category",
                "action",
                "outcome",
                "actor_name",
                "actor_type",
                "target_name",
                "src_country",
                "org"
            ]
        ),
        "time=2023-11-14T22:13:20.123Z | event_id=d | category=file_activity | action=git.clone | outcome=success | \
         actor_name=ann | actor_type=user | target_name=o/r | src_country=DE | org=o"
    );
}

#[test]
fn kubernetes_audit_list_item() {
    let (_folder, lake) = ingest(
        "kubernetes",
        r#"{"kind":"EventList","items":[{"kind":"Event","auditID":"a","stage":"ResponseComplete","verb":"create",
        "requestURI":"/api","user":{"username":"ann@corp.com","uid":"u"},"sourceIPs":["203.0.113.1","10.0.0.1"],
        "objectRef":{"resource":"pods","namespace":"prod","name":"p","subresource":"exec"},
        "responseStatus":{"code":403,"reason":"Forbidden"},"requestReceivedTimestamp":"2026-01-02T03:04:05.000001Z"}]}"#,
    );
    assert_eq!(
        cells(
            &lake,
            "kubernetes",
            0,
            &[
                "time",
                "event_id",
                "action",
                "outcome",
                "reason",
                "actor_email",
                "target_name",
                "target_type",
                "src_ip",
                "namespace",
                "subresource",
                "response_code"
            ]
        ),
        "time=2026-01-02T03:04:05.000001Z | event_id=a/ResponseComplete | action=create | outcome=failure | reason=Forbidden | \
         actor_email=ann@corp.com | target_name=p | target_type=pods | src_ip=203.0.113.1 | namespace=prod | subresource=exec | \
         response_code=403"
    );
}

#[test]
fn guardduty_findings_in_both_cases() {
    let finding = r#"{"Id":"f","Type":"Recon:EC2/PortProbe","Severity":8.5,"AccountId":"1","Region":"eu-west-1","Title":"T",
        "UpdatedAt":"2026-01-02T03:04:05Z","Resource":{"ResourceType":"Instance","InstanceDetails":{"InstanceId":"i-1"}},
        "Service":{"ServiceName":"guardduty","Count":3,"Action":{"ActionType":"PORT_PROBE","PortProbeAction":{"PortProbeDetails":[
        {"LocalPortDetails":{"Port":22},"RemoteIpDetails":{"IpAddressV4":"203.0.113.77"}}]}}}}"#;
    let names = [
        "event_id",
        "category",
        "action",
        "severity",
        "service",
        "target_id",
        "target_type",
        "src_ip",
        "dst_port",
        "score",
        "event_count",
    ];
    let expected = "event_id=f | category=finding | action=Recon:EC2/PortProbe | severity=4 | service=guardduty | target_id=i-1 | \
                    target_type=Instance | src_ip=203.0.113.77 | dst_port=22 | score=8.5 | event_count=3";
    let (_folder, pascal) = ingest("guardduty", &format!(r#"{{"Findings":[{finding}]}}"#));
    assert_eq!(cells(&pascal, "guardduty", 0, &names), expected);
    let mut camel = String::new();
    let mut after_quote = false;
    for letter in finding.replace("\"T\"", "\"t\"").chars() {
        camel.push(if after_quote { letter.to_ascii_lowercase() } else { letter });
        after_quote = letter == '"';
    }
    let camel = camel.replace("recon:", "Recon:").replace("\"instance\"", "\"Instance\"");
    let (_folder, lake) = ingest("guardduty", &format!(r#"{{"detail-type":"GuardDuty Finding","detail":{camel}}}"#));
    assert_eq!(cells(&lake, "guardduty", 0, &names), expected);
}

#[test]
fn syslog_lines_of_both_rfcs() {
    let (_folder, lake) = ingest(
        "syslog",
        "<38>Nov 17 10:00:00 web-1 sshd[7]: Failed password for invalid user bob from 203.0.113.5 port 5022 ssh2\n\
         <165>1 2026-11-17T11:00:00.5Z web-2 app 9 ID1 [x@1 a=\"b\"] all is well\n\
         with another line\n",
    );
    let names = [
        "time",
        "host",
        "program",
        "pid",
        "message",
        "category",
        "outcome",
        "severity",
        "actor_name",
        "src_ip",
        "src_port",
        "facility",
    ];
    assert_eq!(
        cells(&lake, "syslog", 0, &names),
        "time=2026-11-17T10:00:00Z | host=web-1 | program=sshd | pid=7 | \
         message=Failed password for invalid user bob from 203.0.113.5 port 5022 ssh2 | category=authentication | outcome=failure | \
         severity=1 | actor_name=bob | src_ip=203.0.113.5 | src_port=5022 | facility=4"
    );
    assert_eq!(
        cells(&lake, "syslog", 1, &names[..5]),
        "time=2026-11-17T11:00:00.500Z | host=web-2 | program=app | pid=9 | message=all is well"
    );
    assert_eq!(
        cells(&lake, "syslog", 2, &["time", "message"]),
        "time=2026-11-17T11:00:00.500Z | message=with another line"
    );
    assert!(column(&lake, "syslog", "raw")[0].ends_with(r#"ssh2","priority":38}"#));
}

#[test]
fn json_fields_become_columns_and_widen() {
    let (_folder, lake) = lake();
    lake.ingest_bytes(
        "json",
        "one",
        br#"{"time":"2026-01-01T00:00:00Z","level":"warn","durationMs":5,"http":{"s":1}}"#,
    )
    .unwrap();
    lake.ingest_bytes(
        "json",
        "two",
        br#"{"time":"2026-01-02T00:00:00Z","durationMs":1.5,"ok":true,"service":"billing"}"#,
    )
    .unwrap();
    lake.ingest_bytes("json", "three", br#"{"time":"2026-01-03T00:00:00Z","durationMs":"slow"}"#).unwrap();
    assert_eq!(column(&lake, "json", "duration_ms"), ["5", "1.5", "slow"]);
    assert_eq!(column(&lake, "json", "ok"), ["-", "true", "-"]);
    assert_eq!(column(&lake, "json", "severity"), ["3", "0", "0"]);
    assert_eq!(column(&lake, "json", "service"), ["-", "billing", "-"]);
    let table = lake.snapshot().table("json").unwrap().clone();
    let names: Vec<&str> = table.columns.iter().skip(31).map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["level", "duration_ms", "ok", "raw"]);
    let reopened = Lake::open(_folder.path(), LakeOptions::default()).unwrap();
    assert_eq!(column(&reopened, "json", "duration_ms"), ["5", "1.5", "slow"]);
}

#[test]
fn places_are_filled_from_ranges() {
    let place = Place { country: Some("NL".into()), city: None, asn: Some(64500), as_org: Some("Example".into()) };
    let geo = GeoSource::from_ranges(vec![GeoRange { cidr: "203.0.113.0/24".into(), place }]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::create(folder.path(), LakeOptions { geo, ..options() }).unwrap();
    lake.ingest_bytes("vpc_flow", "f", b"2 1 eni 203.0.113.1 203.0.113.2 1 2 6 1 1 1700000000 1700000001 ACCEPT OK")
        .unwrap();
    assert_eq!(
        cells(&lake, "vpc_flow", 0, &["src_country", "src_asn", "src_as_org", "dst_country"]),
        "src_country=NL | src_asn=64500 | src_as_org=Example | dst_country=NL"
    );
}

#[test]
fn cloudwatch_deliveries_hold_lines_and_events_as_messages() {
    let (_folder, flows) = ingest(
        "vpc_flow",
        r#"{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1700000000000,
        "message":"2 123 eni-1 10.0.0.1 10.0.0.2 1 22 6 1 1 1700000000 1700000060 ACCEPT OK"}]}"#,
    );
    assert_eq!(cells(&flows, "vpc_flow", 0, &["src_ip", "action"]), "src_ip=10.0.0.1 | action=ACCEPT");
    let (_folder, audits) = ingest(
        "kubernetes",
        r#"{"logEvents":[{"message":"{\"kind\":\"Event\",\"verb\":\"get\",\"auditID\":\"a\"}","timestamp":1700000000000}]}"#,
    );
    assert_eq!(
        cells(&audits, "kubernetes", 0, &["time", "action", "outcome", "event_id"]),
        "time=2023-11-14T22:13:20Z | action=get | outcome=unknown | event_id=a"
    );
}

#[test]
fn the_catalog_has_every_table_and_the_view() {
    use mantissa_core::{CatalogSource, TableKind};
    let (_folder, lake) = lake();
    let catalog = lake.current();
    assert_eq!(catalog.tables.len(), 24);
    for table in &catalog.tables {
        assert_eq!(table.columns[0].name, "time");
        assert_eq!(table.columns[30].name, "ioc");
        match &table.kind {
            TableKind::Table => assert_eq!(table.columns.last().unwrap().name, "raw"),
            TableKind::View(sql) => {
                assert_eq!((table.name.to_string().as_str(), table.columns.len()), ("logs.events", 31));
                assert_eq!(sql.matches(" UNION ALL ").count(), 22);
            }
        }
    }
}
