//! Attacks on the people of the organisation, through Okta.

use super::{ApiCall, Attack, INTRUDER, MINUTE, OktaLogin, PYTHON, Planter, SPRAYER, STOLEN_SESSION};
use crate::org::PROD;
use crate::sources::okta;

const LOGIN: (&str, &str) = ("user.session.start", "User login to Okta");

pub const PASSWORD_SPRAY: Attack = Attack {
    title: "A password spray from abroad",
    when: "6 days to 5 days 23 hours before the end, then slowly until 2 minutes before it",
    tables: &["okta"],
    actor: "all 120 people; carmen.rossi@larkspur.example is the one that falls",
    address: "203.0.113.77 (NL)",
    what: "Three passwords tried on everybody within an hour, all failing but one, from python-requests. A dozen more failures follow over the next days.",
    sql: "SELECT src_ip, src_country, count(DISTINCT actor_name) AS people, count(*) AS failures FROM okta\nWHERE action = 'user.session.start' AND outcome = 'failure'\nGROUP BY src_ip, src_country HAVING count(DISTINCT actor_name) >= 10",
    question: Some("top 10 source IPs by failed logins"),
    plant: password_spray,
};

const FALLEN: &str = "carmen.rossi";

/// Minutes before the end of the slow attempts: whatever day the week began, some lie in it.
const SLOW: &[i64] = &[2, 41, 95, 190, 420, 780, 1_300, 1_900, 2_700, 3_600, 4_900, 6_300];

fn password_spray(planter: &mut Planter) {
    let attempts = planter.burst(360);
    for index in 0..attempts {
        let at = planter.spread(6 * 1440, 6 * 1440 - 60, index, attempts);
        spray(planter, at, index as usize, Some("INVALID_CREDENTIALS"));
    }
    let people = &planter.scene.org.people;
    let fallen = people.iter().position(|person| person.login == FALLEN).unwrap_or_default();
    spray(planter, planter.before(6 * 1440 - 61), fallen, None);
    for (index, minutes) in SLOW.iter().enumerate() {
        spray(planter, planter.before(*minutes), index * 7, Some("INVALID_CREDENTIALS"));
    }
}

fn spray(planter: &mut Planter, at: i64, person: usize, reason: Option<&str>) {
    let people = &planter.scene.org.people;
    let login = &people[person % people.len()].login;
    let (kind, message) = LOGIN;
    let event = OktaLogin { at, login, kind, message, ip: Some(SPRAYER), agent: Some(PYTHON), reason };
    planter.okta(&event, |_| String::new());
}

pub const MFA_DISABLED: Attack = Attack {
    title: "MFA is switched off",
    when: "24 hours before the end",
    tables: &["okta", "cloudtrail"],
    actor: "carmen.rossi@larkspur.example on Okta, root on AWS",
    address: "203.0.113.77 (NL), 198.51.100.23 (RO)",
    what: "user.mfa.factor.deactivate on Okta, DeactivateMFADevice on AWS.",
    sql: "SELECT time, source, actor_name, action, src_country FROM events\nWHERE action IN ('user.mfa.factor.deactivate', 'DeactivateMFADevice')",
    question: Some("who disabled MFA yesterday?"),
    plant: mfa_disabled,
};

fn mfa_disabled(planter: &mut Planter) {
    let at = planter.before(24 * 60);
    let event = OktaLogin {
        at,
        login: FALLEN,
        kind: "user.mfa.factor.deactivate",
        message: "Reset factor for user",
        ip: Some(SPRAYER),
        agent: None,
        reason: None,
    };
    planter.okta(&event, |person| format!("[{}]", okta::user(person)));
    let request = r#"{"userName":"ada.abbott","serialNumber":"arn:aws:iam::418203756911:mfa/ada.abbott"}"#;
    planter.call(&ApiCall {
        at: at + MINUTE,
        user: None,
        account: PROD,
        region: "us-east-1",
        ip: INTRUDER,
        agent: PYTHON,
        service: "iam",
        name: "DeactivateMFADevice",
        data: false,
        error: None,
        request,
        response: "",
        resources: "",
    });
}

pub const IMPOSSIBLE_TRAVEL: Attack = Attack {
    title: "Impossible travel",
    when: "101 hours and 100 hours 25 minutes before the end",
    tables: &["okta"],
    actor: "omar.keller@larkspur.example",
    address: "his own in Berlin (DE), then 192.0.2.214 (BR)",
    what: "Two successful logins, 35 minutes apart, from Berlin and from São Paulo. (The statement finds carmen.rossi of the password spray too.)",
    sql: "SELECT a.actor_name, a.time, a.src_country, b.time, b.src_country FROM okta a JOIN okta b\n  ON a.actor_name = b.actor_name AND a.src_country <> b.src_country\n AND b.time > a.time AND b.time < a.time + interval '1 hour'\nWHERE a.action = 'user.session.start' AND b.action = 'user.session.start'\n  AND a.outcome = 'success' AND b.outcome = 'success'",
    question: Some("okta users with successful sign-ins from two countries within 1 hour"),
    plant: impossible_travel,
};

fn impossible_travel(planter: &mut Planter) {
    for (minutes, ip) in [(101 * 60, None), (100 * 60 + 25, Some(STOLEN_SESSION))] {
        let at = planter.before(minutes);
        planter.okta(
            &OktaLogin { at, login: "omar.keller", kind: LOGIN.0, message: LOGIN.1, ip, agent: None, reason: None },
            |_| String::new(),
        );
    }
}
