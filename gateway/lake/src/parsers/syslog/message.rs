//! What a syslog message means: category, outcome, who, whom and from where.

use crate::parsers::{email_of, is_ip};
use crate::row::{Outcome, Row, category};
use crate::schema::common;

pub fn set_meaning<'a>(row: &mut Row<'a>, program: &'a str, message: &'a str) {
    let short = program.rsplit('/').next().unwrap_or(program);
    let base = short.split(['-', '(']).next().unwrap_or(short);
    row.set(common::ACTION, if program.is_empty() { "log" } else { program });
    row.set(common::CATEGORY, category_of(base, message));
    row.set_outcome(outcome_of(message));
    set_people(row, base, message);
    set_addresses(row, message);
}

fn category_of(program: &str, message: &str) -> &'static str {
    match program {
        "useradd" | "userdel" | "usermod" | "groupadd" | "groupdel" | "groupmod" | "passwd" | "chpasswd" | "chage"
        | "gpasswd" => category::ACCOUNT_CHANGE,
        "sshd" | "su" | "login" | "gdm" | "sssd" | "systemd-logind" => category::AUTHENTICATION,
        "sudo" if message.contains("COMMAND=") => category::PROCESS_ACTIVITY,
        _ if [
            "authentication failure",
            "authentication error",
            "session opened for user",
            "Access denied for user",
            "auth failed",
        ]
        .iter()
        .any(|phrase| message.contains(phrase)) =>
        {
            category::AUTHENTICATION
        }
        _ if message.contains("SRC=") && message.contains("DST=") => category::NETWORK_ACTIVITY,
        "cron" | "CRON" | "crond" | "anacron" | "systemd" | "audit" => category::PROCESS_ACTIVITY,
        _ => category::OTHER,
    }
}

const FAILURES: &[&str] = &[
    "Failed ",
    "failed",
    "failure",
    "Failure",
    "Invalid user",
    "invalid user",
    "denied",
    "Denied",
    "incorrect password",
    "authentication error",
    "not in sudoers",
    "NOT in sudoers",
    "no such user",
    "success=no",
    "refused",
];
const SUCCESSES: &[&str] =
    &["Accepted ", "session opened", "COMMAND=", "new user:", "new group:", "res=success", "success=yes", "succeeded"];

fn outcome_of(message: &str) -> Outcome {
    if FAILURES.iter().any(|word| message.contains(word)) {
        Outcome::Failure
    } else if SUCCESSES.iter().any(|word| message.contains(word)) {
        Outcome::Success
    } else {
        Outcome::Unknown
    }
}

/// The word after a phrase, without the punctuation around it.
fn after<'a>(message: &'a str, phrase: &str) -> Option<&'a str> {
    let rest = &message[message.find(phrase)? + phrase.len()..];
    let rest = rest.trim_start_matches(['\'', '"', '`']);
    let end = rest.find([' ', ',', ';', '\'', '"', '(', ')']).unwrap_or(rest.len());
    let word = rest[..end].trim_end_matches([':', '.']);
    (!word.is_empty()).then_some(word)
}

fn set_people<'a>(row: &mut Row<'a>, program: &str, message: &'a str) {
    let (actor, target) = match program {
        "sudo" if message.contains("COMMAND=") => (message.split(" : ").next().map(str::trim), after(message, "USER=")),
        "useradd" | "userdel" | "usermod" | "groupadd" => {
            let target = after(message, "name=").or_else(|| after(message, "delete user '"));
            (after(message, "by "), target)
        }
        _ if message.contains("session opened for user") || message.contains("session closed for user") => {
            let user = after(message, "for user ");
            match after(message, " by ") {
                Some(by) => (Some(by), user),
                None => (user, None),
            }
        }
        _ => (login_name(message), None),
    };
    if let Some(email) = email_of(actor) {
        row.set(common::ACTOR_EMAIL, email);
    }
    row.set(common::ACTOR_NAME, actor);
    row.set(common::TARGET_NAME, target);
    if target.is_some() {
        row.set(common::TARGET_TYPE, "user");
    }
}

fn login_name(message: &str) -> Option<&str> {
    const PHRASES: &[&str] =
        &["for invalid user ", "for illegal user ", "nvalid user ", "for user ", " for ", "acct=", " user=", "user=<"];
    let tells = ["Accepted ", "Failed ", "nvalid user", "uthentication", "enied for user", "user=", "acct="];
    if !tells.iter().any(|tell| message.contains(tell)) {
        return None;
    }
    let name = PHRASES.iter().find_map(|phrase| after(message, phrase))?;
    let name = name.trim_end_matches('>');
    (!name.is_empty() && name != "from" && !is_ip(name)).then_some(name)
}

fn set_addresses<'a>(row: &mut Row<'a>, message: &'a str) {
    const SOURCES: &[&str] = &[" from ", "rhost=", "SRC=", "addr=", "from: ", "rip=", "client="];
    let address =
        |phrase: &&str| after(message, phrase).map(|word| word.trim_matches(['[', ']'])).filter(|word| is_ip(word));
    row.set(common::SRC_IP, SOURCES.iter().find_map(address));
    row.set(common::DST_IP, address(&"DST="));
    let port =
        |phrase: &str| after(message, phrase).and_then(|word| word.parse::<i64>().ok()).filter(|port| *port < 65_536);
    row.set(common::SRC_PORT, port("SPT=").or_else(|| port(" port ")));
    row.set(common::DST_PORT, port("DPT="));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Scalar;

    fn cells(program: &'static str, message: &'static str) -> [String; 5] {
        let mut row = Row::new(0);
        set_meaning(&mut row, program, message);
        [common::CATEGORY, common::OUTCOME, common::ACTOR_NAME, common::TARGET_NAME, common::SRC_IP].map(|position| {
            match &row.common[position] {
                Scalar::Text(text) => text.to_string(),
                _ => "-".to_owned(),
            }
        })
    }

    #[test]
    fn messages_say_who_did_what_from_where() {
        let cases = [
            (
                "sshd",
                "Failed password for invalid user bob from 192.0.2.9 port 5 ssh2",
                ["authentication", "failure", "bob", "-", "192.0.2.9"],
            ),
            (
                "sshd",
                "Accepted publickey for ann from 2001:db8::1 port 42 ssh2",
                ["authentication", "success", "ann", "-", "2001:db8::1"],
            ),
            (
                "sudo",
                "ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
                ["process_activity", "success", "ann", "root", "-"],
            ),
            (
                "su",
                "pam_unix(su:session): session opened for user root by ann(uid=7)",
                ["authentication", "success", "ann", "root", "-"],
            ),
            ("useradd", "new user: name=eve, UID=1001, GID=1001", ["account_change", "success", "-", "eve", "-"]),
            (
                "kernel",
                "IN=eth0 SRC=198.51.100.7 DST=10.0.0.1 SPT=1 DPT=22",
                ["network_activity", "unknown", "-", "-", "198.51.100.7"],
            ),
            ("systemd", "Started Session 5.", ["process_activity", "unknown", "-", "-", "-"]),
        ];
        for (program, message, expected) in cases {
            assert_eq!(cells(program, message), expected, "{message}");
        }
    }
}
