//! Amazon GuardDuty findings, in the camelCase of exports and events and the PascalCase of the API.

use super::{NOT_AN_OBJECT, Parsed, Parser, Reason, Surroundings, first, read_time, set_event_id, set_time};
use crate::json::Value;
use crate::row::{Outcome, Row, Scalar, category, severity};
use crate::schema::common;

mod own {
    pub const TITLE: usize = 0;
    pub const SCORE: usize = 1;
    pub const EVENT_COUNT: usize = 2;
    pub const FIRST_SEEN: usize = 3;
    pub const LAST_SEEN: usize = 4;
}

#[derive(Default)]
pub struct Guardduty;

/// A member by its camelCase name, or by the same name in PascalCase.
fn member<'a>(object: Value<'a>, name: &str) -> Value<'a> {
    object
        .members()
        .find(|(key, _)| *key == name || (key.len() == name.len() && key.eq_ignore_ascii_case(name)))
        .map_or(Value::Null, |(_, value)| value)
}

fn path<'a>(object: Value<'a>, names: &[&str]) -> Value<'a> {
    names.iter().fold(object, |value, name| member(value, name))
}

impl Parser for Guardduty {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        let event @ Value::Object(_) = Value::of(text) else { return Err(NOT_AN_OBJECT) };
        let service = member(event, "service");
        let first_seen = member(service, "eventFirstSeen");
        let last_seen = member(service, "eventLastSeen");
        set_time(row, &[member(event, "updatedAt"), last_seen, member(event, "createdAt")], around)?;
        set_event_id(row, member(event, "id"), text);
        row.copy(common::ACTION, member(event, "type"));
        row.set(common::CATEGORY, category::FINDING);
        row.set(common::SERVICE, first(&[member(service, "serviceName")]).or(Some("guardduty".into())));
        row.set_outcome(Outcome::Unknown);
        let score = member(event, "severity").number();
        row.set(common::SEVERITY, severity_of(score));
        row.copy(common::ACCOUNT_ID, member(event, "accountId"));
        row.copy(common::REGION, member(event, "region"));
        set_resource(row, member(event, "resource"));
        set_action(row, member(service, "action"));
        row.set_own(own::TITLE, member(event, "title").text());
        row.set_own(own::SCORE, score.map_or(Scalar::Null, Scalar::Float));
        row.set_own(own::EVENT_COUNT, member(service, "count").integer());
        for (position, seen) in [(own::FIRST_SEEN, first_seen), (own::LAST_SEEN, last_seen)] {
            row.set_own(position, read_time(seen).and_then(Result::ok).map_or(Scalar::Null, Scalar::Time));
        }
        Ok(Parsed::Row)
    }
}

/// GuardDuty's bands: below 4 low, below 7 medium, below 9 high, above critical.
fn severity_of(score: Option<f64>) -> i64 {
    match score {
        None => severity::UNKNOWN,
        Some(score) if score < 4.0 => severity::LOW,
        Some(score) if score < 7.0 => severity::MEDIUM,
        Some(score) if score < 9.0 => severity::HIGH,
        Some(_) => severity::CRITICAL,
    }
}

fn set_resource<'a>(row: &mut Row<'a>, resource: Value<'a>) {
    row.copy(common::TARGET_TYPE, member(resource, "resourceType"));
    let key = member(resource, "accessKeyDetails");
    row.copy(common::ACTOR_NAME, member(key, "userName"));
    row.copy(common::ACTOR_ID, member(key, "principalId"));
    row.copy(common::ACTOR_TYPE, member(key, "userType"));
    row.copy(common::SESSION_ID, member(key, "accessKeyId"));
    let instance = path(resource, &["instanceDetails", "instanceId"]);
    let bucket = member(resource, "s3BucketDetails").elements().next().unwrap_or(Value::Null);
    let cluster = member(resource, "eksClusterDetails");
    row.set(common::TARGET_ID, first(&[instance, member(bucket, "arn"), member(cluster, "arn")]));
    row.set(common::TARGET_NAME, first(&[member(bucket, "name"), member(cluster, "name"), instance]));
}

/// Whichever action it was, its details name the remote side alike.
fn set_action<'a>(row: &mut Row<'a>, action: Value<'a>) {
    let details = action.members().map(|(_, value)| value).filter(|value| matches!(value, Value::Object(_)));
    for detail in details {
        let probe = member(detail, "portProbeDetails").elements().next().unwrap_or(Value::Null);
        let inner = if probe == Value::Null { detail } else { probe };
        let remote = member(inner, "remoteIpDetails");
        row.copy(common::SRC_IP, member(remote, "ipAddressV4"));
        row.copy(common::SRC_CITY, path(remote, &["city", "cityName"]));
        row.set(common::SRC_ASN, path(remote, &["organization", "asn"]).integer().filter(|number| *number >= 0));
        row.copy(common::SRC_AS_ORG, path(remote, &["organization", "asnOrg"]));
        row.set(common::SRC_PORT, path(inner, &["remotePortDetails", "port"]).integer());
        row.set(common::DST_PORT, path(inner, &["localPortDetails", "port"]).integer());
        row.copy(common::DST_IP, path(inner, &["localIpDetails", "ipAddressV4"]));
    }
}
