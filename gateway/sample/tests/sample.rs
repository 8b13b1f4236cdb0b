#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta, Utc};
use mantissa_sample::{ATTACKS, Chunk, GeoRange, SampleSpec, generate, geo_ranges};
use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

const SOURCES: [&str; 7] = ["cloudtrail", "vpc_flow", "okta", "github", "kubernetes", "guardduty", "syslog"];

fn end() -> DateTime<Utc> {
    "2026-11-18T15:42:00Z".parse().unwrap()
}

fn spec(events: u64) -> SampleSpec {
    SampleSpec { events, ..SampleSpec::until(end()) }
}

fn hash(spec: &SampleSpec) -> u64 {
    let mut hash = Xxh3::new();
    for chunk in generate(spec) {
        hash.update(chunk.name.as_bytes());
        hash.update(&chunk.bytes);
    }
    hash.digest()
}

/// The JSON events of a chunk; none for the line formats.
fn events(chunk: &Chunk) -> Vec<Value> {
    match chunk.source {
        "cloudtrail" => match serde_json::from_slice(&chunk.bytes).unwrap() {
            Value::Object(mut file) => serde_json::from_value(file["Records"].take()).unwrap(),
            other => panic!("{other}"),
        },
        "vpc_flow" | "syslog" => Vec::new(),
        _ => lines(chunk).iter().map(|line| serde_json::from_str(line).unwrap()).collect(),
    }
}

fn lines(chunk: &Chunk) -> Vec<&str> {
    std::str::from_utf8(&chunk.bytes).unwrap().lines().collect()
}

fn all(spec: &SampleSpec, source: &str) -> Vec<Value> {
    generate(spec).filter(|chunk| chunk.source == source).flat_map(|chunk| events(&chunk)).collect()
}

fn text<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_every_machine() {
    assert_eq!(hash(&spec(5_000)), EXPECTED_HASH, "{:#x}", hash(&spec(5_000)));
    assert_ne!(hash(&spec(5_000)), hash(&SampleSpec { seed: 2, ..spec(5_000) }));
}

const EXPECTED_HASH: u64 = 9642363021219652228;

#[test]
fn events_add_up_exactly_whatever_is_asked_for() {
    for events in [0, 1, 7, 500, 4_321, 60_000] {
        for days in [1, 30] {
            let spec = SampleSpec { days, ..spec(events) };
            assert_eq!(generate(&spec).map(|chunk| chunk.events).sum::<u64>(), events, "{events} in {days} days");
        }
    }
    let odd_end = SampleSpec { end: end() + TimeDelta::microseconds(1_234_567), ..spec(3_000) };
    assert_eq!(generate(&odd_end).map(|chunk| chunk.events).sum::<u64>(), 3_000);
}

#[test]
fn every_chunk_parses_and_holds_as_many_events_as_it_says() {
    let mut by_source = BTreeMap::new();
    let mut names = HashSet::new();
    for chunk in generate(&spec(20_000)) {
        let count = match chunk.source {
            "vpc_flow" => lines(&chunk).len() - 1,
            "syslog" => lines(&chunk).len(),
            _ => events(&chunk).len(),
        };
        assert_eq!(count as u64, chunk.events, "{}", chunk.name);
        assert!(chunk.events <= 2 * Chunk::MAX_EVENTS);
        assert!(names.insert(chunk.name.clone()), "{}", chunk.name);
        *by_source.entry(chunk.source).or_insert(0) += count;
    }
    assert_eq!(by_source.keys().copied().collect::<HashSet<_>>(), SOURCES.into());
    assert!(by_source["cloudtrail"] > 7_500 && by_source["vpc_flow"] > 5_500, "{by_source:?}");
}

#[test]
fn times_lie_in_the_window_and_in_order() {
    let start = end() - TimeDelta::days(30);
    for chunk in generate(&spec(20_000)) {
        let times: Vec<DateTime<Utc>> = events(&chunk)
            .iter()
            .map(|event| match chunk.source {
                "github" => DateTime::from_timestamp_millis(event["@timestamp"].as_i64().unwrap()).unwrap(),
                "cloudtrail" => text(event, "/eventTime").parse().unwrap(),
                "okta" => text(event, "/published").parse().unwrap(),
                "kubernetes" => text(event, "/requestReceivedTimestamp").parse().unwrap(),
                _ => text(event, "/updatedAt").parse().unwrap(),
            })
            .collect();
        assert!(times.is_sorted(), "{}", chunk.name);
        assert!(times.iter().all(|time| (start..=end()).contains(time)), "{}", chunk.name);
    }
}

#[test]
fn flow_and_syslog_lines_have_their_vendors_form() {
    for chunk in generate(&spec(20_000)) {
        match chunk.source {
            "vpc_flow" => {
                assert!(lines(&chunk)[0].starts_with("version account-id interface-id srcaddr"));
                assert!(lines(&chunk).iter().all(|line| line.split(' ').count() == 14), "{}", chunk.name);
            }
            "syslog" => {
                for line in lines(&chunk) {
                    let (priority, rest) = line.strip_prefix('<').unwrap().split_once('>').unwrap();
                    assert!(priority.parse::<u8>().unwrap() < 192, "{line}");
                    let rfc_5424 = rest.starts_with("1 2026-1");
                    assert!(rfc_5424 || rest.starts_with("Nov ") || rest.starts_with("Oct "), "{line}");
                }
            }
            _ => {}
        }
    }
}

fn country(ranges: &[GeoRange], ip: &str) -> Option<&'static str> {
    let ip = u32::from(ip.parse::<Ipv4Addr>().ok()?);
    let of = |range: &&GeoRange| {
        let (base, bits) = range.cidr.split_once('/').unwrap();
        let shift = 32 - bits.parse::<u32>().unwrap();
        ip >> shift == u32::from(base.parse::<Ipv4Addr>().unwrap()) >> shift
    };
    ranges.iter().find(of).map(|range| range.country)
}

#[test]
fn every_public_address_has_a_country() {
    let ranges = geo_ranges();
    for chunk in generate(&spec(20_000)).filter(|chunk| chunk.source == "vpc_flow") {
        for line in &lines(&chunk)[1..] {
            for ip in line.split(' ').skip(3).take(2).filter(|ip| *ip != "-" && !ip.starts_with("10.")) {
                assert!(country(&ranges, ip).is_some(), "{line}");
            }
        }
    }
    for attack in ATTACKS.iter().filter(|attack| attack.address.ends_with(')') && !attack.address.starts_with("10.")) {
        let (ip, rest) = attack.address.split_once(" (").unwrap();
        if let Some(named) = country(&ranges, ip) {
            assert!(rest.contains(named), "{}", attack.address);
        }
    }
}

#[test]
fn root_fails_at_the_console_and_then_succeeds_without_mfa() {
    let logins: Vec<_> = all(&spec(20_000), "cloudtrail")
        .into_iter()
        .filter(|event| text(event, "/eventName") == "ConsoleLogin" && text(event, "/userIdentity/type") == "Root")
        .collect();
    let results: Vec<_> = logins.iter().map(|event| text(event, "/responseElements/ConsoleLogin")).collect();
    assert_eq!(results, [["Failure"; 11].as_slice(), &["Success"]].concat());
    assert_eq!(text(&logins[11], "/additionalEventData/MFAUsed"), "No");
    assert_eq!(country(&geo_ranges(), text(&logins[0], "/sourceIPAddress")), Some("RO"));
}

#[test]
fn the_intruder_leaves_its_traces_in_cloudtrail() {
    let events = all(&spec(20_000), "cloudtrail");
    let by_backdoor: HashSet<_> = events
        .iter()
        .filter(|event| text(event, "/userIdentity/userName") == "svc-backup-sync")
        .map(|event| text(event, "/eventName"))
        .collect();
    for name in
        ["StopLogging", "CreateBucket", "GetObject", "PutBucketPolicy", "AuthorizeSecurityGroupIngress", "RunInstances"]
    {
        assert!(by_backdoor.contains(name), "{name}");
    }
    let by_root: HashSet<_> = events
        .iter()
        .filter(|event| text(event, "/userIdentity/type") == "Root")
        .map(|event| text(event, "/eventName"))
        .collect();
    for name in ["CreateUser", "AttachUserPolicy", "CreateAccessKey", "DeactivateMFADevice"] {
        assert!(by_root.contains(name), "{name}");
    }
    let mined = events.iter().filter(|event| text(event, "/awsRegion") == "af-south-1");
    assert!(mined.clone().count() == 8 && mined.clone().all(|event| text(event, "/eventName") == "RunInstances"));
    let yesterday = end() - TimeDelta::hours(24);
    let recent = events.iter().filter(|event| {
        text(event, "/eventName") == "CreateBucket"
            && text(event, "/eventTime").parse::<DateTime<Utc>>().unwrap() > yesterday
    });
    assert!(recent.count() >= 3);
}

#[test]
fn people_are_attacked_and_fail_from_abroad_this_week() {
    let events = all(&spec(20_000), "okta");
    let logins = || events.iter().filter(|event| text(event, "/eventType") == "user.session.start");
    let sprayed: HashSet<_> = logins()
        .filter(|event| {
            text(event, "/client/ipAddress") == "203.0.113.77" && text(event, "/outcome/result") == "FAILURE"
        })
        .map(|event| text(event, "/actor/alternateId"))
        .collect();
    assert!(sprayed.len() >= 50, "{}", sprayed.len());
    let monday: DateTime<Utc> = "2026-11-16T00:00:00Z".parse().unwrap();
    let abroad = logins().filter(|event| {
        text(event, "/outcome/result") == "FAILURE"
            && text(event, "/published").parse::<DateTime<Utc>>().unwrap() >= monday
            && text(event, "/client/geographicalContext/country") != "United States"
    });
    assert!(abroad.count() > 0);
    let travelled: HashSet<_> = logins()
        .filter(|event| text(event, "/actor/alternateId") == "omar.keller@larkspur.example")
        .map(|event| text(event, "/client/geographicalContext/country"))
        .collect();
    assert!(travelled.is_superset(&["Germany", "Brazil"].into()), "{travelled:?}");
    assert!(events.iter().any(|event| text(event, "/eventType") == "user.mfa.factor.deactivate"));
}

#[test]
fn the_platform_and_the_hosts_are_attacked() {
    let sample = spec(20_000);
    let actions: HashSet<String> =
        all(&sample, "github").iter().map(|event| text(event, "/action").to_owned()).collect();
    for action in ["repo.access", "public_key.create", "repository_secret_scanning.disable"] {
        assert!(actions.contains(action), "{action}");
    }
    let cluster = all(&sample, "kubernetes");
    let by_runner = |resource: &str, subresource: &str| {
        cluster.iter().any(|event| {
            text(event, "/user/username") == "system:serviceaccount:ci:runner"
                && text(event, "/objectRef/resource") == resource
                && text(event, "/objectRef/subresource") == subresource
        })
    };
    assert!(by_runner("secrets", "") && by_runner("pods", "exec") && by_runner("clusterrolebindings", ""));
    let findings = all(&sample, "guardduty");
    assert_eq!(findings.iter().filter(|event| event["severity"].as_f64() >= Some(7.0)).count(), 9);

    let of = |source: &str, needle: &str| {
        generate(&sample)
            .filter(|chunk| chunk.source == source)
            .map(|chunk| lines(&chunk).iter().filter(|line| line.contains(needle)).count())
            .sum::<usize>()
    };
    assert!(of("syslog", "Failed password for root from 198.51.100.88") > 5);
    assert_eq!(of("syslog", "Accepted password for deploy from 198.51.100.88"), 1);
    assert_eq!(of("syslog", "useradd -m -G sudo sysupdate"), 1);
    assert!(of("vpc_flow", "198.51.100.88 10.20.") > 200);
    assert!(of("vpc_flow", "10.20.1.10 192.0.2.143 ") > 40);
}

#[test]
fn people_keep_to_their_hours_and_addresses() {
    let logins = all(&spec(60_000), "okta");
    let at_night = |event: &&Value| text(event, "/published")[11..13].parse::<u32>().unwrap() == 4;
    let by_day = |event: &&Value| text(event, "/published")[11..13].parse::<u32>().unwrap() == 16;
    assert!(logins.iter().filter(by_day).count() > 3 * logins.iter().filter(at_night).count());
    let ada: HashSet<_> = logins
        .iter()
        .filter(|event| text(event, "/actor/alternateId") == "ada.abbott@larkspur.example")
        .filter(|event| text(event, "/client/ipAddress") != "203.0.113.77")
        .map(|event| text(event, "/client/ipAddress"))
        .collect();
    assert!(ada.len() <= 2, "{ada:?}");
}

#[test]
fn the_page_about_the_demo_lists_every_attack() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/demo.md");
    let written = std::fs::read_to_string(page).unwrap_or_default();
    let expected = attacks_as_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let (before, _) = written.split_once(MARK).unwrap_or((&written, ""));
        std::fs::write(page, format!("{before}{MARK}{expected}")).unwrap();
        return;
    }
    let (_, listed) = written.split_once(MARK).expect("the page has the list");
    assert_eq!(listed, expected, "UPDATE_DOCS=1 cargo test -p mantissa-sample writes it");
}

const MARK: &str = "<!-- From here on written by the tests of mantissa-sample. -->\n";

fn attacks_as_markdown() -> String {
    let mut page = String::new();
    for (number, attack) in ATTACKS.iter().enumerate() {
        page += &format!("\n### {}. {}\n\n{}\n\n", number + 1, attack.title, attack.what);
        let tables = attack.tables.join(", ");
        page += &format!(
            "- when: {}\n- tables: {tables}\n- actor: {}\n- address: {}\n",
            attack.when, attack.actor, attack.address
        );
        page += &format!("\n```sql\n{};\n", attack.sql);
        if let Some(question) = attack.question {
            page += &format!("ASK '{question}';\n");
        }
        page += "```\n";
    }
    page
}
