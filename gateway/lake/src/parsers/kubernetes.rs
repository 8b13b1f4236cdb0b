//! Kubernetes API server audit events (`audit.k8s.io`).

use super::{NOT_AN_OBJECT, Parsed, Parser, Reason, Surroundings, email_of, first, set_event_id, set_time};
use crate::json::Value;
use crate::row::{Outcome, Row, Scalar, category, severity};
use crate::schema::common;

mod own {
    pub const VERB: usize = 0;
    pub const NAMESPACE: usize = 1;
    pub const RESOURCE: usize = 2;
    pub const SUBRESOURCE: usize = 3;
    pub const REQUEST_URI: usize = 4;
    pub const RESPONSE_CODE: usize = 5;
    pub const STAGE: usize = 6;
}

#[derive(Default)]
pub struct Kubernetes;

impl Parser for Kubernetes {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        let event @ Value::Object(_) = Value::of(text) else { return Err(NOT_AN_OBJECT) };
        let times = ["requestReceivedTimestamp", "stageTimestamp", "timestamp"].map(|key| event.get(key));
        set_time(row, &times, around)?;
        // One request has one auditID through all its stages, so the stage is a part of the event's id.
        let stage = event.get("stage").text();
        match (event.get("auditID").text(), &stage) {
            (Some(id), Some(stage)) => row.set(common::EVENT_ID, format!("{id}/{stage}")),
            (Some(id), None) => row.set(common::EVENT_ID, Scalar::Text(id)),
            (None, _) => set_event_id(row, Value::Null, text),
        }
        let verb = event.get("verb").text();
        row.set(common::ACTION, verb.clone());
        row.set(common::CATEGORY, category::API_ACTIVITY);
        row.set(common::SEVERITY, severity::UNKNOWN);
        set_actor(row, event);
        set_object(row, event.get("objectRef"));
        set_response(row, event);
        row.set(common::SRC_IP, event.get("sourceIPs").elements().next().and_then(Value::text));
        row.copy(common::USER_AGENT, event.get("userAgent"));
        row.set_own(own::VERB, verb);
        row.set_own(own::REQUEST_URI, event.get("requestURI").text());
        row.set_own(own::STAGE, stage);
        Ok(Parsed::Row)
    }
}

fn set_actor<'a>(row: &mut Row<'a>, event: Value<'a>) {
    let user = event.get("user");
    let name = user.get("username").text();
    if let Some(email) = email_of(name.as_deref()) {
        row.set(common::ACTOR_EMAIL, email);
    }
    row.set(common::ACTOR_NAME, name);
    let arn = user.at(&["extra", "arn"]).elements().next().unwrap_or(Value::Null);
    row.set(common::ACTOR_ID, first(&[user.get("uid"), arn]));
    let session = user.at(&["extra", "accessKeyId"]).elements().next().unwrap_or(Value::Null);
    row.copy(common::SESSION_ID, session);
}

fn set_object<'a>(row: &mut Row<'a>, object: Value<'a>) {
    row.copy(common::TARGET_ID, object.get("uid"));
    row.copy(common::TARGET_NAME, object.get("name"));
    row.copy(common::TARGET_TYPE, object.get("resource"));
    row.set_own(own::NAMESPACE, object.get("namespace").text());
    row.set_own(own::RESOURCE, object.get("resource").text());
    row.set_own(own::SUBRESOURCE, object.get("subresource").text());
}

/// The response's code decides; without one, what the authorizer decided.
fn set_response<'a>(row: &mut Row<'a>, event: Value<'a>) {
    let response = event.get("responseStatus");
    let code = response.get("code").integer();
    row.set_own(own::RESPONSE_CODE, code);
    row.copy(common::REASON, response.get("reason"));
    let decision = event.get("annotations").get("authorization.k8s.io/decision").text();
    row.set_outcome(match (code, decision.as_deref()) {
        (Some(400..), _) | (None, Some("forbid")) => Outcome::Failure,
        (Some(_), _) | (None, Some("allow")) => Outcome::Success,
        (None, _) => Outcome::Unknown,
    });
}
