//! GitHub organisation audit log, one event a line, times in milliseconds.

use super::Scene;
use crate::geo;
use crate::org::{GITHUB_ORG, REPOS};
use crate::out::Out;
use crate::rhythm::hour_of_week;
use crate::rng::{Rng, mix};

pub const HUMAN: u64 = 75;
const BOT_CITY: &str = "Boardman";

pub struct Event<'a> {
    pub at: i64,
    pub action: &'a str,
    pub actor: &'a str,
    pub ip: u32,
    pub agent: &'a str,
    pub operation: &'a str,
    /// None for events of the organisation.
    pub repo: Option<&'a str>,
    /// More members, each with a leading comma.
    pub more: &'a str,
}

struct Kind {
    weight: u64,
    action: &'static str,
    operation: &'static str,
    repo: bool,
    more: &'static str,
}

const fn kind(weight: u64, action: &'static str, operation: &'static str, repo: bool, more: &'static str) -> Kind {
    Kind { weight, action, operation, repo, more }
}

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind(300, "git.clone", "access", true, r#","transport_protocol":2,"transport_protocol_name":"ssh""#),
    kind(230, "git.fetch", "access", true, r#","transport_protocol":1,"transport_protocol_name":"http""#),
    kind(200, "git.push", "modify", true, r#","transport_protocol":2,"transport_protocol_name":"ssh""#),
    kind(90, "pull_request.create", "create", true, r#","pull_request_title":"Update dependencies""#),
    kind(80, "pull_request.merge", "modify", true, r#","pull_request_title":"Update dependencies""#),
    kind(60, "pull_request_review.submit", "create", true, ""),
    kind(8, "repo.add_member", "modify", true, r#","permission":"write""#),
    kind(6, "team.add_member", "modify", false, r#","team":"larkspur/engineering""#),
    kind(5, "protected_branch.policy_override", "modify", true, r#","branch":"main""#),
    kind(6, "repo.create_actions_secret", "create", true, r#","key":"DEPLOY_TOKEN""#),
    kind(4, "repo.create", "create", true, r#","visibility":"private""#),
    kind(2, "org.invite_member", "create", false, ""),
    kind(3, "org.add_member", "create", false, r#","permission":"read""#),
    kind(2, "repo.archived", "modify", true, r#","visibility":"private""#),
    kind(3, "hook.create", "create", true, r#","events":["push"]"#),
    kind(1, "personal_access_token.access_granted", "create", false, ""),
];
const KINDS_WEIGHT: u64 = 1000;
const BOTS: &[&str] = &["github-actions[bot]", "dependabot[bot]", "larkspur-deploy"];

pub fn write(scene: &Scene, rng: &mut Rng, at: i64, out: &mut Out) {
    let repo = Some(rng.word(REPOS));
    if scene.by_a_person(rng, at, HUMAN) {
        let person = scene.org.at_work(rng, &scene.org.engineers, hour_of_week(at));
        let kind = rng.weighted(KINDS, KINDS_WEIGHT, |kind| kind.weight);
        let agent = if kind.action.starts_with("git.") { "git/2.51.0" } else { person.browser.agent };
        let repo = repo.filter(|_| kind.repo);
        let event = Event {
            at,
            action: kind.action,
            actor: &person.github,
            ip: person.ip(at),
            agent,
            operation: kind.operation,
            repo,
            more: kind.more,
        };
        return emit(&event, rng, out);
    }
    let action = if rng.chance(7000) { "workflows.completed_workflow_run" } else { "git.clone" };
    let ip = crate::org::address(geo::Use::Cloud, BOT_CITY, 7 + rng.below(12));
    let more = r#","name":"ci","conclusion":"success""#;
    let actor = rng.word(BOTS);
    emit(&Event { at, action, actor, ip, agent: "GitHub-Actions", operation: "access", repo, more }, rng, out);
}

pub fn emit(event: &Event, rng: &mut Rng, out: &mut Out) {
    let millis = (event.at / 1000) as u64;
    let id = |name: &str| name.bytes().fold(7, |key, byte| mix(key ^ u64::from(byte))) % 90_000_000 + 10_000_000;
    let country = geo::range_of(event.ip).map_or("US", |range| range.country);
    out.s(r#"{"@timestamp":"#)
        .n(millis)
        .s(r#","_document_id":""#)
        .base32(rng.bits(), 22)
        .s(r#"","action":""#)
        .s(event.action);
    out.s(r#"","actor":""#).s(event.actor).s(r#"","actor_id":"#).n(id(event.actor)).s(r#","actor_ip":""#).ip(event.ip);
    out.s(r#"","actor_location":{"country_code":""#)
        .s(country)
        .s(r#""},"business":"larkspur","business_id":4821,"created_at":"#);
    out.n(millis)
        .s(r#","operation_type":""#)
        .s(event.operation)
        .s(r#"","org":""#)
        .s(GITHUB_ORG)
        .s(r#"","org_id":7304518"#);
    if let Some(repo) = event.repo {
        out.s(r#","repo":""#)
            .s(GITHUB_ORG)
            .s("/")
            .s(repo)
            .s(r#"","repo_id":"#)
            .n(id(repo))
            .s(r#","public_repo":false"#);
    }
    out.s(r#","user_agent":""#).s(event.agent).s("\"").s(event.more).s("}");
}
