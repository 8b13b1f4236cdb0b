//! Okta System Log, one event a line.

use super::Scene;
use crate::geo;
use crate::org::{DOMAIN, Person};
use crate::out::Out;
use crate::rhythm::hour_of_week;
use crate::rng::{Rng, mix};

pub const HUMAN: u64 = 95;

pub struct Event<'a> {
    pub at: i64,
    /// `user.session.start` and so on.
    pub kind: &'a str,
    pub message: &'a str,
    pub severity: &'a str,
    pub actor: &'a Person,
    pub ip: u32,
    pub agent: &'a str,
    pub os: &'a str,
    pub browser: &'a str,
    pub result: &'a str,
    pub reason: Option<&'a str>,
    /// JSON array; empty for null.
    pub target: &'a str,
}

struct Kind {
    weight: u64,
    name: &'static str,
    message: &'static str,
    severity: &'static str,
    target: Target,
}

#[derive(Clone, Copy)]
enum Target {
    None,
    App,
    Factor,
    Rule,
    Other,
    Group,
}

const fn kind(weight: u64, name: &'static str, message: &'static str, severity: &'static str, target: Target) -> Kind {
    Kind { weight, name, message, severity, target }
}

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind(230, "user.session.start", "User login to Okta", "INFO", Target::None),
    kind(330, "user.authentication.sso", "User single sign on to app", "INFO", Target::App),
    kind(180, "user.authentication.auth_via_mfa", "Authentication of user via MFA", "INFO", Target::Factor),
    kind(160, "policy.evaluate_sign_on", "Evaluation of sign-on policy", "INFO", Target::Rule),
    kind(60, "user.session.end", "User logout from Okta", "INFO", Target::None),
    kind(12, "user.account.update_password", "User update password for Okta", "INFO", Target::Other),
    kind(8, "user.mfa.factor.activate", "Enroll new MFA factor for user", "INFO", Target::Factor),
    kind(6, "group.user_membership.add", "Add user to group membership", "INFO", Target::Group),
    kind(5, "application.user_membership.add", "Add user to application membership", "INFO", Target::App),
    kind(3, "user.lifecycle.create", "Create Okta user", "INFO", Target::Other),
    kind(2, "user.lifecycle.deactivate", "Deactivate Okta user", "INFO", Target::Other),
    kind(3, "user.account.reset_password", "Reset password for user", "INFO", Target::Other),
    kind(1, "user.account.privilege.grant", "Grant user privilege", "INFO", Target::Other),
];
const KINDS_WEIGHT: u64 = 1000;
const APPS: &[&str] = &[
    "Salesforce",
    "Google Workspace",
    "Slack",
    "GitHub Enterprise",
    "AWS IAM Identity Center",
    "Jira",
    "Zoom",
    "Datadog",
    "Workday",
];
const GROUPS: &[&str] = &["engineering", "everyone", "finance", "on-call", "data-science", "contractors"];

pub fn write(scene: &Scene, rng: &mut Rng, at: i64, out: &mut Out) {
    let kind = rng.weighted(KINDS, KINDS_WEIGHT, |kind| kind.weight);
    let person = scene.org.anybody(rng, hour_of_week(at));
    let (result, reason) = outcome(rng, kind.name);
    let target = target(scene, rng, kind.target, person);
    let event = Event {
        at,
        kind: kind.name,
        message: kind.message,
        severity: if result == "FAILURE" { "WARN" } else { kind.severity },
        actor: person,
        ip: person.ip(at),
        agent: person.browser.agent,
        os: person.browser.os,
        browser: person.browser.name,
        result,
        reason,
        target: &target,
    };
    emit(&event, rng, out);
}

fn outcome(rng: &mut Rng, kind: &str) -> (&'static str, Option<&'static str>) {
    match kind {
        "user.session.start" if rng.chance(600) => {
            ("FAILURE", Some(if rng.chance(8500) { "INVALID_CREDENTIALS" } else { "LOCKED_OUT" }))
        }
        "user.authentication.auth_via_mfa" if rng.chance(250) => {
            ("FAILURE", Some(if rng.chance(3000) { "User rejected Okta push verify" } else { "INVALID_CREDENTIALS" }))
        }
        "policy.evaluate_sign_on" if rng.chance(4000) => {
            ("CHALLENGE", Some("Sign-on policy evaluation resulted in CHALLENGE"))
        }
        "policy.evaluate_sign_on" => ("ALLOW", Some("Sign-on policy evaluation resulted in ALLOW")),
        _ => ("SUCCESS", None),
    }
}

fn target(scene: &Scene, rng: &mut Rng, target: Target, person: &Person) -> String {
    match target {
        Target::None => String::new(),
        Target::App => {
            let app = rng.word(APPS);
            let id = mix(app.len() as u64) >> 24;
            format!(r#"[{{"id":"0oa{id:010x}","type":"AppInstance","alternateId":"{app}","displayName":"{app}","detailEntry":null}}]"#)
        }
        Target::Factor => {
            let factor = if person.key.is_multiple_of(5) { "Google Authenticator" } else { "Okta Verify" };
            let user = user(person);
            format!(r#"[{user},{{"id":"opf{:010x}","type":"AuthenticatorEnrollment","alternateId":"unknown","displayName":"{factor}","detailEntry":null}}]"#, person.key >> 24)
        }
        Target::Rule => r#"[{"id":"00p4k2v7qbXyR1mZ5d7","type":"PolicyEntity","alternateId":"unknown","displayName":"Default Policy","detailEntry":{"policyType":"OktaSignOn"}}]"#.into(),
        Target::Other => format!("[{}]", user(rng.pick(&scene.org.people))),
        Target::Group => {
            let group = rng.word(GROUPS);
            let other = user(rng.pick(&scene.org.people));
            format!(r#"[{other},{{"id":"00g{:010x}","type":"UserGroup","alternateId":"unknown","displayName":"{group}","detailEntry":null}}]"#, mix(group.len() as u64) >> 24)
        }
    }
}

pub fn user(person: &Person) -> String {
    let Person { key, email, display, .. } = person;
    format!(
        r#"{{"id":"00u{:012x}5d7","type":"User","alternateId":"{email}","displayName":"{display}","detailEntry":null}}"#,
        key >> 16
    )
}

pub fn emit(event: &Event, rng: &mut Rng, out: &mut Out) {
    let actor = event.actor;
    out.s(r#"{"actor":{"id":"00u"#).hex(actor.key >> 16, 12).s(r#"5d7","type":"User","alternateId":""#).s(&actor.email);
    out.s(r#"","displayName":""#)
        .s(&actor.display)
        .s(r#"","detailEntry":null},"client":{"userAgent":{"rawUserAgent":""#);
    out.s(event.agent).s(r#"","os":""#).s(event.os).s(r#"","browser":""#).s(event.browser);
    out.s(r#""},"zone":"null","device":"Computer","id":null,"ipAddress":""#)
        .ip(event.ip)
        .s(r#"","geographicalContext":"#);
    let org = geography(event.ip, out);
    out.s(r#"},"device":null,"authenticationContext":{"authenticationProvider":null,"credentialProvider":null,"credentialType":null,"issuer":null,"interface":null,"authenticationStep":0,"externalSessionId":"102"#);
    out.base32(mix(actor.key ^ (event.at / 28_800_000_000) as u64), 20).s(r#""},"displayMessage":""#).s(event.message);
    out.s(r#"","eventType":""#).s(event.kind).s(r#"","outcome":{"result":""#).s(event.result).s(r#"","reason":"#);
    match event.reason {
        Some(reason) => out.s("\"").s(reason).s("\""),
        None => out.s("null"),
    };
    out.s(r#"},"published":""#).millis(event.at).s(r#"","securityContext":{"asNumber":"#);
    let (asn, as_org) = org;
    out.n(u64::from(asn)).s(r#","asOrg":""#).s(as_org).s(r#"","isp":""#).s(as_org);
    out.s(r#"","domain":".","isProxy":false},"severity":""#).s(event.severity);
    out.s(r#"","debugContext":{"debugData":{"requestId":""#)
        .base32(rng.bits(), 24)
        .s(r#"","dtHash":""#)
        .hex(mix(actor.key), 32);
    out.s(r#"","requestUri":"/idp/idx/identify","threatSuspected":"false","url":"https://"#)
        .s(DOMAIN)
        .s(r#"/idp/idx/identify?"}},"legacyEventType":null,"transaction":{"type":"WEB","id":""#);
    out.base32(rng.bits(), 24)
        .s(r#"","detail":{}},"uuid":""#)
        .uuid(rng)
        .s(r#"","version":"0","request":{"ipChain":[{"ip":""#);
    out.ip(event.ip).s(r#"","geographicalContext":"#);
    geography(event.ip, out);
    out.s(r#","version":"V4","source":null}]},"target":"#)
        .s(if event.target.is_empty() { "null" } else { event.target })
        .s("}");
}

fn geography(ip: u32, out: &mut Out) -> (u32, &'static str) {
    let Some(range) = geo::range_of(ip) else {
        out.s("null");
        return (0, "unknown");
    };
    let place = geo::place_of(range.city);
    out.s(r#"{"city":""#).s(place.city).s(r#"","state":""#).s(place.state).s(r#"","country":""#).s(place.country_name);
    out.s(r#"","postalCode":null,"geolocation":{"lat":"#).s(place.lat).s(r#","lon":"#).s(place.lon).s("}}");
    (range.asn, range.as_org)
}
