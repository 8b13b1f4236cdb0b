//! Okta System Log events.

use super::{NOT_AN_OBJECT, Parsed, Parser, Reason, Surroundings, country_code, email_of, set_event_id, set_time};
use crate::json::Value;
use crate::row::{Outcome, Row, category, severity};
use crate::schema::common;

mod own {
    pub const DISPLAY_MESSAGE: usize = 0;
    pub const RISK_LEVEL: usize = 1;
}

#[derive(Default)]
pub struct Okta;

impl Parser for Okta {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        let event @ Value::Object(_) = Value::of(text) else { return Err(NOT_AN_OBJECT) };
        let either = |new: &str, old: &str| match event.get(new) {
            Value::Null => event.get(old),
            value => value,
        };
        let action = either("eventType", "eventtype");
        set_time(row, &[event.get("published")], around)?;
        set_event_id(row, event.get("uuid"), text);
        row.copy(common::ACTION, action);
        let action = row.text(common::ACTION).unwrap_or_default();
        let is_login = ["user.session.start", "user.session.end", "user.authentication", "user.session.impersonation"]
            .iter()
            .any(|prefix| action.starts_with(prefix));
        let mfa = action.contains("mfa").then_some(true);
        row.set(common::CATEGORY, if is_login { category::AUTHENTICATION } else { category::ACCOUNT_CHANGE });
        row.set(common::MFA, mfa);
        set_actor(row, event);
        set_target(row, event.get("target"));
        set_client(row, event);
        set_outcome(row, event.get("outcome"), event.get("severity"));
        row.set_own(own::DISPLAY_MESSAGE, either("displayMessage", "displaymessage").text());
        let debug = event.at(&["debugContext", "debugData"]);
        row.set_own(own::RISK_LEVEL, debug.get("riskLevel").text());
        Ok(Parsed::Row)
    }
}

fn set_actor<'a>(row: &mut Row<'a>, event: Value<'a>) {
    let actor = event.get("actor");
    row.copy(common::ACTOR_ID, actor.get("id"));
    let name = actor.get("alternateId").text().or_else(|| actor.get("displayName").text());
    if let Some(email) = email_of(name.as_deref()) {
        row.set(common::ACTOR_EMAIL, email);
    }
    row.set(common::ACTOR_NAME, name);
    row.copy(common::ACTOR_TYPE, actor.get("type"));
    let context = event.get("authenticationContext");
    let session = context.get("externalSessionId").text().filter(|session| session != "unknown");
    row.set(common::SESSION_ID, session);
}

fn set_target<'a>(row: &mut Row<'a>, target: Value<'a>) {
    let Some(first) = target.elements().next() else { return };
    row.copy(common::TARGET_ID, first.get("id"));
    row.set(common::TARGET_NAME, first.get("alternateId").text().or_else(|| first.get("displayName").text()));
    row.copy(common::TARGET_TYPE, first.get("type"));
}

fn set_client<'a>(row: &mut Row<'a>, event: Value<'a>) {
    let client = event.get("client");
    row.copy(common::SRC_IP, client.get("ipAddress"));
    if row.is_null(common::SRC_IP) {
        let chain = event.at(&["request", "ipChain"]);
        row.set(common::SRC_IP, chain.elements().next().and_then(|hop| hop.get("ip").text()));
    }
    let agent = client.get("userAgent");
    row.set(common::USER_AGENT, agent.get("rawUserAgent").text().or_else(|| agent.get("browser").text()));
    let place = client.get("geographicalContext");
    row.copy(common::SRC_CITY, place.get("city"));
    if let Some(code) = country_code(place.get("country")) {
        row.set(common::SRC_COUNTRY, code);
    }
    let network = event.get("securityContext");
    row.set(common::SRC_ASN, network.get("asNumber").integer());
    row.copy(common::SRC_AS_ORG, network.get("asOrg"));
}

/// Okta's results other than success, failure and denial (ALLOW counts as success) say nothing about the outcome.
fn set_outcome<'a>(row: &mut Row<'a>, outcome: Value<'a>, level: Value<'a>) {
    let result = outcome.get("result").text();
    row.set_outcome(match result.as_deref() {
        Some("SUCCESS" | "ALLOW") => Outcome::Success,
        Some("FAILURE" | "DENY") => Outcome::Failure,
        _ => Outcome::Unknown,
    });
    row.copy(common::REASON, outcome.get("reason"));
    row.set(
        common::SEVERITY,
        match level.text().as_deref() {
            Some("DEBUG" | "INFO") => severity::INFORMATIONAL,
            Some("WARN") => severity::MEDIUM,
            Some("ERROR") => severity::HIGH,
            _ => severity::UNKNOWN,
        },
    );
}
