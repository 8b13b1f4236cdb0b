//! AWS CloudTrail records.

use std::borrow::Cow;

use super::{NOT_AN_OBJECT, Parsed, Parser, Reason, Surroundings, email_of, set_event_id, set_time};
use crate::json::Value;
use crate::row::{Outcome, Row, category, severity};
use crate::schema::common;

/// The source's own columns, in the order of its declaration.
mod own {
    pub const EVENT_TYPE: usize = 0;
    pub const READ_ONLY: usize = 1;
    pub const ERROR_MESSAGE: usize = 2;
    pub const REQUEST_ID: usize = 3;
}

#[derive(Default)]
pub struct Cloudtrail;

/// The fields of a record that a row is made of, found in one walk.
#[derive(Default)]
struct Record<'a> {
    time: Value<'a>,
    id: Value<'a>,
    name: Value<'a>,
    service: Value<'a>,
    region: Value<'a>,
    address: Value<'a>,
    user_agent: Value<'a>,
    error_code: Value<'a>,
    error_message: Value<'a>,
    event_type: Value<'a>,
    read_only: Value<'a>,
    request_id: Value<'a>,
    account: Value<'a>,
    identity: Value<'a>,
    request: Value<'a>,
    response: Value<'a>,
    additional: Value<'a>,
    resources: Value<'a>,
}

impl<'a> Record<'a> {
    fn read(event: Value<'a>) -> Record<'a> {
        let mut record = Record::default();
        for (key, value) in event.members() {
            match key {
                "eventTime" => record.time = value,
                "eventID" => record.id = value,
                "eventName" => record.name = value,
                "eventSource" => record.service = value,
                "awsRegion" => record.region = value,
                "sourceIPAddress" => record.address = value,
                "userAgent" => record.user_agent = value,
                "errorCode" => record.error_code = value,
                "errorMessage" => record.error_message = value,
                "eventType" => record.event_type = value,
                "readOnly" => record.read_only = value,
                "requestID" => record.request_id = value,
                "recipientAccountId" => record.account = value,
                "userIdentity" => record.identity = value,
                "requestParameters" => record.request = value,
                "responseElements" => record.response = value,
                "additionalEventData" => record.additional = value,
                "resources" => record.resources = value,
                _ => {}
            }
        }
        record
    }
}

#[derive(Default)]
struct Identity<'a> {
    kind: Value<'a>,
    arn: Value<'a>,
    principal: Value<'a>,
    account: Value<'a>,
    access_key: Value<'a>,
    user_name: Value<'a>,
    invoked_by: Value<'a>,
    issuer_name: Value<'a>,
    mfa: Value<'a>,
}

impl<'a> Identity<'a> {
    fn read(identity: Value<'a>) -> Identity<'a> {
        let mut found = Identity::default();
        for (key, value) in identity.members() {
            match key {
                "type" => found.kind = value,
                "arn" => found.arn = value,
                "principalId" => found.principal = value,
                "accountId" => found.account = value,
                "accessKeyId" => found.access_key = value,
                "userName" => found.user_name = value,
                "invokedBy" => found.invoked_by = value,
                "sessionContext" => {
                    found.issuer_name = value.at(&["sessionIssuer", "userName"]);
                    found.mfa = value.at(&["attributes", "mfaAuthenticated"]);
                }
                _ => {}
            }
        }
        found
    }

    /// The IAM user's name, `root`, the role's name, else whatever names the caller.
    fn name(&self) -> Option<Cow<'a, str>> {
        let kind = self.kind.text();
        match kind.as_deref() {
            Some("Root") => Some(Cow::Borrowed("root")),
            Some("AssumedRole") => {
                self.issuer_name.text().or_else(|| self.role_of_arn()).or_else(|| self.user_name.text())
            }
            _ => self
                .user_name
                .text()
                .or_else(|| self.invoked_by.text())
                .or_else(|| self.name_of_arn())
                .or_else(|| self.principal.text()),
        }
    }

    /// `arn:aws:sts::1:assumed-role/ROLE/SESSION`
    fn role_of_arn(&self) -> Option<Cow<'a, str>> {
        let Value::String(arn) = self.arn else { return None };
        arn.split('/').nth(1).filter(|role| !role.is_empty()).map(Cow::Borrowed)
    }

    /// `arn:aws:iam::1:user/NAME`
    fn name_of_arn(&self) -> Option<Cow<'a, str>> {
        let Value::String(arn) = self.arn else { return None };
        let (prefix, name) = arn.rsplit_once('/')?;
        (prefix.contains(":user") && !name.is_empty()).then_some(Cow::Borrowed(name))
    }

    /// The session's name, where it or the user's own is an e-mail address.
    fn email(&self) -> Option<String> {
        let session = match (self.arn, self.principal) {
            (Value::String(arn), _) if arn.contains('/') => arn.rsplit('/').next(),
            (_, Value::String(principal)) => principal.split_once(':').map(|(_, session)| session),
            _ => None,
        };
        email_of(session).or_else(|| email_of(self.user_name.text().as_deref()))
    }
}

impl Parser for Cloudtrail {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        let event @ Value::Object(_) = Value::of(text) else { return Err(NOT_AN_OBJECT) };
        let record = Record::read(event);
        let identity = Identity::read(record.identity);
        set_time(row, &[record.time], around)?;
        set_event_id(row, record.id, text);
        row.copy(common::ACTION, record.name);
        row.copy(common::SERVICE, record.service);
        row.copy(common::REGION, record.region);
        row.copy(common::SRC_IP, record.address);
        row.copy(common::USER_AGENT, record.user_agent);
        row.copy(common::ACCOUNT_ID, record.account);
        if row.is_null(common::ACCOUNT_ID) {
            row.copy(common::ACCOUNT_ID, identity.account);
        }
        set_actor(row, &identity);
        set_outcome(row, &record);
        set_target(row, &record);
        let mfa = identity.mfa.boolean().or_else(|| record.additional.get("MFAUsed").boolean());
        row.set(common::MFA, mfa);
        let category = category_of(row.text(common::ACTION), row.text(common::SERVICE));
        row.set(common::CATEGORY, category);
        row.set(common::SEVERITY, severity::INFORMATIONAL);
        row.set_own(own::EVENT_TYPE, record.event_type.text());
        row.set_own(own::READ_ONLY, record.read_only.boolean());
        row.set_own(own::ERROR_MESSAGE, record.error_message.text());
        row.set_own(own::REQUEST_ID, record.request_id.text());
        Ok(Parsed::Row)
    }
}

fn set_actor<'a>(row: &mut Row<'a>, identity: &Identity<'a>) {
    row.set(common::ACTOR_ID, identity.arn.text().or_else(|| identity.principal.text()));
    row.set(common::ACTOR_NAME, identity.name());
    row.copy(common::ACTOR_TYPE, identity.kind);
    if let Some(email) = identity.email() {
        row.set(common::ACTOR_EMAIL, email);
    }
    row.copy(common::SESSION_ID, identity.access_key);
}

/// A record fails by its error, or, for console logins, by its answer.
fn set_outcome<'a>(row: &mut Row<'a>, record: &Record<'a>) {
    let answer = record.response.members().next().filter(|(key, _)| matches!(*key, "ConsoleLogin" | "CheckMfa"));
    let refused = answer.is_some_and(|(_, value)| value == Value::String("Failure"));
    row.copy(common::REASON, record.error_code);
    if row.is_null(common::REASON) {
        row.copy(common::REASON, record.error_message);
    }
    let failed = refused || !row.is_null(common::REASON);
    row.set_outcome(if failed { Outcome::Failure } else { Outcome::Success });
}

/// What a request names, most telling first, with the kind it is.
const TARGETS: &[(&str, &str)] = &[
    ("bucketName", "bucket"),
    ("userName", "user"),
    ("roleName", "role"),
    ("groupName", "group"),
    ("policyName", "policy"),
    ("policyArn", "policy"),
    ("roleArn", "role"),
    ("secretId", "secret"),
    ("functionName", "function"),
    ("dBInstanceIdentifier", "database"),
    ("dBSnapshotIdentifier", "snapshot"),
    ("clusterName", "cluster"),
    ("keyId", "key"),
    ("groupId", "security_group"),
    ("instanceId", "instance"),
    ("snapshotId", "snapshot"),
    ("imageId", "image"),
    ("trailName", "trail"),
    ("name", "resource"),
];

fn set_target<'a>(row: &mut Row<'a>, record: &Record<'a>) {
    let mut best: Option<(usize, Cow<'a, str>)> = None;
    for (key, value) in record.request.members() {
        let Some(rank) = TARGETS.iter().position(|(name, _)| *name == key) else { continue };
        if best.as_ref().is_none_or(|(current, _)| rank < *current)
            && let Some(name) = value.text()
        {
            best = Some((rank, name));
        }
    }
    if let Some((rank, name)) = best {
        row.set(common::TARGET_NAME, Some(name));
        row.set(common::TARGET_TYPE, TARGETS[rank].1);
    }
    if let Some(resource) = record.resources.elements().next() {
        row.set(common::TARGET_ID, resource.get("ARN").text().or_else(|| resource.get("arn").text()));
    }
}

/// Calls that change who may do what, in whichever service.
fn category_of(action: Option<&str>, service: Option<&str>) -> &'static str {
    let action = action.unwrap_or_default();
    match (action, service) {
        ("ConsoleLogin" | "CheckMfa" | "ExitRole" | "SwitchRole" | "UserAuthentication" | "Authenticate", _) => {
            return category::AUTHENTICATION;
        }
        ("CreateServiceLinkedRole" | "ChangePassword" | "UpdateAssumeRolePolicy", Some("iam.amazonaws.com")) => {
            return category::ACCOUNT_CHANGE;
        }
        (_, Some("iam.amazonaws.com") | None) => {}
        _ => return category::API_ACTIVITY,
    }
    const VERBS: &[&str] =
        &["Create", "Delete", "Update", "Put", "Attach", "Detach", "Add", "Remove", "Deactivate", "Enable", "Upload"];
    const THINGS: &[&str] = &[
        "User",
        "Role",
        "Group",
        "Policy",
        "AccessKey",
        "LoginProfile",
        "MFADevice",
        "SAMLProvider",
        "OpenIDConnect",
        "SSHPublicKey",
        "SigningCertificate",
        "PasswordPolicy",
        "ServiceSpecificCredential",
    ];
    let changes =
        VERBS.iter().any(|verb| action.starts_with(verb)) && THINGS.iter().any(|thing| action.contains(thing));
    if changes { category::ACCOUNT_CHANGE } else { category::API_ACTIVITY }
}
