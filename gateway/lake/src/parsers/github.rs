//! GitHub audit log entries and webhook deliveries.

use super::{
    NOT_AN_OBJECT, Parsed, Parser, Reason, Surroundings, country_code, email_of, first, set_event_id, set_time,
};
use crate::json::Value;
use crate::row::{Outcome, Row, category, severity};
use crate::schema::common;

mod own {
    pub const ORG: usize = 0;
    pub const REPO: usize = 1;
    pub const USER_NAME: usize = 2;
}

#[derive(Default)]
pub struct Github;

impl Parser for Github {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        let event @ Value::Object(_) = Value::of(text) else { return Err(NOT_AN_OBJECT) };
        let times = ["@timestamp", "created_at", "at_sign_timestamp", "p_event_time"].map(|key| event.get(key));
        set_time(row, &times, around)?;
        set_event_id(row, event.get("_document_id"), text);
        row.copy(common::ACTION, event.get("action"));
        let is_git = row.text(common::ACTION).is_some_and(|action| action.starts_with("git."));
        row.set(common::CATEGORY, if is_git { category::FILE_ACTIVITY } else { category::ACCOUNT_CHANGE });
        row.set(common::SEVERITY, severity::UNKNOWN);
        row.set_outcome(Outcome::Success);
        set_actor(row, event);
        let repo = first(&[event.get("repo"), event.get("repository"), event.at(&["repository", "full_name"])]);
        row.set_own(own::REPO, repo.clone());
        row.set_own(own::ORG, first(&[event.get("org"), event.at(&["organization", "login"])]));
        row.set_own(own::USER_NAME, event.get("user").text());
        if repo.is_some() {
            row.set(common::TARGET_TYPE, "repository");
        }
        row.set(common::TARGET_NAME, repo);
        row.set(common::TARGET_ID, first(&[event.get("repo_id"), event.at(&["repository", "id"])]));
        row.copy(common::SRC_IP, event.get("actor_ip"));
        if let Some(code) = country_code(event.at(&["actor_location", "country_code"])) {
            row.set(common::SRC_COUNTRY, code);
        }
        row.copy(common::USER_AGENT, event.get("user_agent"));
        Ok(Parsed::Row)
    }
}

/// The audit log names the actor, a webhook the sender.
fn set_actor<'a>(row: &mut Row<'a>, event: Value<'a>) {
    let sender = event.get("sender");
    row.set(common::ACTOR_NAME, first(&[event.get("actor"), sender.get("login")]));
    row.set(common::ACTOR_ID, first(&[event.get("actor_id"), sender.get("id")]));
    let external = first(&[event.get("external_identity_nameid"), event.get("actor")]);
    if let Some(email) = email_of(external.as_deref()) {
        row.set(common::ACTOR_EMAIL, email);
    }
    let is_bot = event.get("actor_is_bot").boolean() == Some(true)
        || sender.get("type") == Value::String("Bot")
        || row.text(common::ACTOR_NAME).is_some_and(|name| name.ends_with("[bot]"));
    if !row.is_null(common::ACTOR_NAME) {
        row.set(common::ACTOR_TYPE, if is_bot { "bot" } else { "user" });
    }
}
