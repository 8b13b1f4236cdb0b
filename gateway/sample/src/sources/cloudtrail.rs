//! AWS CloudTrail: files of `{"Records": [...]}` as the trail delivers them.

use super::Scene;
use super::cloudtrail_calls::{Call, PEOPLE, PEOPLE_WEIGHT, SERVICES, SERVICES_WEIGHT};
use crate::geo::Use;
use crate::org::{self, ACCOUNT_WEIGHT, ACCOUNTS, Account, BUCKETS, Person, REGION_WEIGHT, REGIONS, Region};
use crate::out::{MICROS, Out};
use crate::rhythm::hour_of_week;
use crate::rng::{Rng, mix};

pub const HUMAN: u64 = 40;

pub enum Actor<'a> {
    Root,
    /// `mfa` is known for sessions of the console; calls with an access key have none.
    IamUser {
        name: &'a str,
        mfa: Option<bool>,
    },
    Role {
        name: &'a str,
        session: &'a str,
        mfa: bool,
    },
    Service(&'a str),
}

pub enum From<'a> {
    Ip(u32),
    Name(&'a str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Management,
    /// Object-level events: a trail has them only where it is told to.
    Data,
    SignIn,
}

pub struct Event<'a> {
    pub at: i64,
    pub actor: Actor<'a>,
    pub account: &'a Account,
    pub region: &'a str,
    pub from: From<'a>,
    pub agent: &'a str,
    pub service: &'a str,
    pub name: &'a str,
    pub read: bool,
    pub kind: Kind,
    /// Code and message.
    pub error: Option<(&'a str, &'a str)>,
    /// JSON with `$` places (see `Values`); empty for null.
    pub request: &'a str,
    pub response: &'a str,
    pub additional: &'a str,
    pub resources: &'a str,
}

/// What one event says in several places.
pub struct Values<'a> {
    pub bucket: &'a str,
    person: &'a str,
    role: &'a str,
    account: &'a str,
    region: &'a str,
    random: u64,
}

const ROLES: &[(&str, &str)] = &[
    ("eks-node-group", "i-0a1f4c7be2d94356f"),
    ("ingest-worker", "ingest-worker-7d9f"),
    ("web-app-task", "ecs-task-4b1c"),
    ("data-pipeline", "airflow-scheduler"),
    ("backup-agent", "backup-nightly"),
    ("monitoring-exporter", "exporter"),
    ("ci-deploy", "GitHubActions"),
    ("lambda-image-resize", "image-resize"),
    ("lambda-billing-export", "billing-export"),
    ("rotation-service", "secrets-rotation"),
];
const SSO_ROLES: &[&str] = &[
    "AWSReservedSSO_Developer_3f9a1c0de8b7aa21",
    "AWSReservedSSO_ReadOnly_8b1d7720cc4e19f6",
    "AWSReservedSSO_Admin_c05e42aa917f3d08",
];
const SDKS: &[&str] = &[
    "aws-sdk-go-v2/1.39.2 os/linux lang/go#1.25.1 md/GOARCH#arm64",
    "Boto3/1.40.55 md/Botocore#1.40.55 ua/2.1 os/linux#6.12 md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython",
    "aws-sdk-java/2.35.10 md/io#sync md/http#Apache ua/2.1 os/Linux#6.12 lang/java#21.0.8",
    "aws-sdk-js/3.914.0 ua/2.1 os/linux#6.12 lang/js md/nodejs#22.20.0",
];
pub const CLI: &str =
    "aws-cli/2.31.18 md/awscrt#0.28.1 ua/2.1 os/macos#25.0.0 md/arch#arm64 lang/python#3.13.7 cfg/retry-mode#standard";
const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) terraform-provider-aws/6.18.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.39.2 os/linux lang/go#1.25.1";
const SERVICE_NAMES: &[&str] = &[
    "lambda.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "rds.amazonaws.com",
    "autoscaling.amazonaws.com",
];

pub fn write(scene: &Scene, rng: &mut Rng, at: i64, out: &mut Out) {
    let account = rng.weighted(ACCOUNTS, ACCOUNT_WEIGHT, |account| account.weight);
    let region = rng.weighted(REGIONS, REGION_WEIGHT, |region| region.weight);
    if scene.by_a_person(rng, at, HUMAN) {
        by_a_person(scene, rng, at, account, region, out);
    } else if rng.chance(1200) {
        assume_role(rng, at, account, region, out);
    } else {
        by_a_service(rng, at, account, region, out);
    }
}

fn by_a_service(rng: &mut Rng, at: i64, account: &Account, region: &Region, out: &mut Out) {
    let call = rng.weighted(SERVICES, SERVICES_WEIGHT, |call| u64::from(call.weight));
    let (name, session) = rng.pick(ROLES);
    let private = rng.chance(3500);
    let key = mix(u64::from(account.net) ^ rng.below(3));
    let ip = if private {
        org::ip(10, account.net as u8, 4 + rng.below(8) as u8, 10 + rng.below(40) as u8)
    } else {
        org::address(Use::Cloud, region.city, key)
    };
    let denied = rng.chance(40);
    let message = denied.then(|| denial(&format!("arn:aws:sts::{}:assumed-role/{name}/{session}", account.id), call));
    let actor = Actor::Role { name, session, mfa: false };
    let event = called(at, call, actor, account, region, ip, rng.word(SDKS), message.as_deref());
    emit(&event, rng, name, out);
}

fn assume_role(rng: &mut Rng, at: i64, account: &Account, region: &Region, out: &mut Out) {
    let service = rng.word(SERVICE_NAMES);
    let event = Event {
        from: From::Name(service),
        ..called(at, &ASSUME_ROLE, Actor::Service(service), account, region, 0, service, None)
    };
    emit(&event, rng, "", out);
}

const ASSUME_ROLE: Call = Call {
    weight: 0,
    service: "sts",
    name: "AssumeRole",
    read: true,
    data: false,
    request: r#"{"roleArn":"arn:aws:iam::$a:role/$r","roleSessionName":"$r-$x","durationSeconds":3600}"#,
    response: r#"{"credentials":{"accessKeyId":"ASIA$e","expiration":"Jan 1, 2030, 12:00:00 AM","sessionToken":"IQoJb3JpZ2luX2VjE$e$e"},"assumedRoleUser":{"assumedRoleId":"AROA$e:$r-$x","arn":"arn:aws:sts::$a:assumed-role/$r/$r-$x"}}"#,
    resources: r#"[{"accountId":"$a","type":"AWS::IAM::Role","ARN":"arn:aws:iam::$a:role/$r"}]"#,
};

fn by_a_person(scene: &Scene, rng: &mut Rng, at: i64, account: &Account, region: &Region, out: &mut Out) {
    let hour = hour_of_week(at);
    if rng.chance(6000) {
        let person = scene.org.at_work(rng, &scene.org.iam_users, hour);
        if rng.chance(450) {
            return sign_in(rng, at, person, account, out);
        }
        let call = rng.weighted(PEOPLE, PEOPLE_WEIGHT, |call| u64::from(call.weight));
        let console = rng.chance(5500);
        let agent = if console {
            person.browser.agent
        } else if call.read {
            CLI
        } else {
            rng.word(&[CLI, TERRAFORM])
        };
        let denied = rng.chance(220);
        let message = denied.then(|| denial(&format!("arn:aws:iam::{}:user/{}", account.id, person.login), call));
        let actor = Actor::IamUser { name: &person.login, mfa: console.then_some(true) };
        let event = called(at, call, actor, account, region, person.ip(at), agent, message.as_deref());
        emit(&event, rng, &person.login, out);
    } else {
        let person = scene.org.at_work(rng, &scene.org.engineers, hour);
        let call = rng.weighted(PEOPLE, PEOPLE_WEIGHT, |call| u64::from(call.weight));
        let role = SSO_ROLES[(person.key % 3) as usize];
        let denied = rng.chance(if call.read { 60 } else { 300 });
        let arn = format!("arn:aws:sts::{}:assumed-role/{role}/{}", account.id, person.email);
        let message = denied.then(|| denial(&arn, call));
        let actor = Actor::Role { name: role, session: &person.email, mfa: true };
        let event = called(at, call, actor, account, region, person.ip(at), person.browser.agent, message.as_deref());
        emit(&event, rng, &person.login, out);
    }
}

fn sign_in(rng: &mut Rng, at: i64, person: &Person, account: &Account, out: &mut Out) {
    let failed = rng.chance(900);
    // Two people have not set up a second factor.
    let mfa = !person.key.is_multiple_of(9);
    console_login(
        &ConsoleLogin {
            at,
            user: Some(&person.login),
            account,
            ip: person.ip(at),
            agent: person.browser.agent,
            failed,
            mfa,
        },
        rng,
        out,
    );
}

pub struct ConsoleLogin<'a> {
    pub at: i64,
    /// None for root.
    pub user: Option<&'a str>,
    pub account: &'a Account,
    pub ip: u32,
    pub agent: &'a str,
    pub failed: bool,
    pub mfa: bool,
}

pub fn console_login(login: &ConsoleLogin, rng: &mut Rng, out: &mut Out) {
    const WITH: &str = r#"{"LoginTo":"https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true","MobileVersion":"No","MFAUsed":"Yes"}"#;
    const WITHOUT: &str = r#"{"LoginTo":"https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true","MobileVersion":"No","MFAUsed":"No"}"#;
    let event = Event {
        at: login.at,
        actor: login.user.map_or(Actor::Root, |name| Actor::IamUser { name, mfa: None }),
        account: login.account,
        region: "us-east-1",
        from: From::Ip(login.ip),
        agent: login.agent,
        service: "signin",
        name: "ConsoleLogin",
        read: false,
        kind: Kind::SignIn,
        error: login.failed.then_some(("", "Failed authentication")),
        request: "",
        response: if login.failed { r#"{"ConsoleLogin":"Failure"}"# } else { r#"{"ConsoleLogin":"Success"}"# },
        additional: if login.mfa && !login.failed { WITH } else { WITHOUT },
        resources: "",
    };
    emit(&event, rng, "", out);
}

fn denial(arn: &str, call: &Call) -> String {
    let (service, name) = (call.service, call.name.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'v'));
    format!(
        "User: {arn} is not authorized to perform: {service}:{name} because no identity-based policy allows the {service}:{name} action"
    )
}

#[allow(clippy::too_many_arguments)]
fn called<'a>(
    at: i64,
    call: &'a Call,
    actor: Actor<'a>,
    account: &'a Account,
    region: &'a Region,
    ip: u32,
    agent: &'a str,
    denied: Option<&'a str>,
) -> Event<'a> {
    let code = if call.service == "ec2" { "Client.UnauthorizedOperation" } else { "AccessDenied" };
    Event {
        at,
        actor,
        account,
        region: if call.service == "iam" { "us-east-1" } else { region.name },
        from: From::Ip(ip),
        agent,
        service: call.service,
        name: call.name,
        read: call.read,
        kind: if call.data { Kind::Data } else { Kind::Management },
        error: denied.map(|message| (code, message)),
        request: call.request,
        response: call.response,
        additional: "",
        resources: call.resources,
    }
}

/// Writes the event, its open values chosen by `rng`.
pub fn emit(event: &Event, rng: &mut Rng, person: &str, out: &mut Out) {
    let values = Values {
        bucket: rng.word(BUCKETS),
        person,
        role: rng.pick(ROLES).0,
        account: event.account.id,
        region: event.region,
        random: rng.bits(),
    };
    out.s(r#"{"eventVersion":"1.11","userIdentity":"#);
    identity(event, out);
    out.s(r#","eventTime":""#).seconds(event.at).s(r#"","eventSource":""#).s(event.service);
    out.s(r#".amazonaws.com","eventName":""#).s(event.name).s(r#"","awsRegion":""#).s(event.region);
    out.s(r#"","sourceIPAddress":""#);
    match event.from {
        From::Ip(ip) => out.ip(ip),
        From::Name(name) => out.s(name),
    };
    out.s(r#"","userAgent":""#).s(event.agent).s("\"");
    if let Some((code, message)) = event.error {
        if !code.is_empty() {
            out.s(r#","errorCode":""#).s(code).s("\"");
        }
        out.s(r#","errorMessage":""#).s(message).s("\"");
    }
    out.s(r#","requestParameters":"#);
    json(event.request, &values, out);
    out.s(r#","responseElements":"#);
    let answered = event.error.is_none() || event.kind == Kind::SignIn;
    json(if answered { event.response } else { "" }, &values, out);
    if !event.additional.is_empty() {
        out.s(r#","additionalEventData":"#);
        json(event.additional, &values, out);
    }
    ending(event, rng, &values, out);
}

fn ending(event: &Event, rng: &mut Rng, values: &Values, out: &mut Out) {
    if event.kind != Kind::SignIn {
        out.s(r#","requestID":""#);
        if event.service == "s3" {
            out.base32(rng.bits(), 16)
        } else {
            out.uuid(rng)
        };
        out.s("\"");
    }
    out.s(r#","eventID":""#).uuid(rng).s(r#"","readOnly":"#).s(if event.read { "true" } else { "false" });
    if !event.resources.is_empty() {
        out.s(r#","resources":"#);
        json(event.resources, values, out);
    }
    let kind = if event.kind == Kind::SignIn { "AwsConsoleSignIn" } else { "AwsApiCall" };
    let (management, category) = if event.kind == Kind::Data { ("false", "Data") } else { ("true", "Management") };
    out.s(r#","eventType":""#).s(kind).s(r#"","managementEvent":"#).s(management);
    out.s(r#","recipientAccountId":""#).s(event.account.id).s(r#"","eventCategory":""#).s(category).s("\"");
    if matches!(event.from, From::Ip(_)) {
        out.s(r#","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":""#);
        out.s(event.service).s(".").s(event.region).s(r#".amazonaws.com"}"#);
    }
    if matches!(event.actor, Actor::IamUser { mfa: Some(_), .. }) {
        out.s(r#","sessionCredentialFromConsole":"true""#);
    }
    out.s("}");
}

fn json(template: &str, values: &Values, out: &mut Out) {
    if template.is_empty() {
        out.s("null");
        return;
    }
    let random = values.random;
    out.fill(template, |out, code| {
        match code {
            b'a' => out.s(values.account),
            b'b' => out.s(values.bucket),
            b'g' => out.s(values.region),
            b'r' => out.s(values.role),
            b'u' => out.s(values.person),
            b'k' => out
                .s(OBJECT_FOLDERS[(random % 8) as usize])
                .s("/")
                .hex(random >> 8, 12)
                .s(OBJECT_ENDINGS[(random % 5) as usize]),
            b'i' => out.s("i-0").hex(mix(random % 60), 16),
            b's' => out.s("sg-0").hex(mix(random % 30 + 100), 16),
            b'v' => out.s("subnet-0").hex(mix(random % 12 + 200), 16),
            b'c' => out.s(SECRETS[(random % 6) as usize]),
            b'x' => out.hex(random >> 4, 8),
            b'e' => out.base32(random, 16),
            b'n' => out.n(random % 900 + 100),
            _ => out.s("$"),
        };
    });
}

const OBJECT_FOLDERS: &[&str] = &[
    "assets/img",
    "exports/daily",
    "raw/events",
    "curated/orders",
    "backups/db",
    "build/web-app",
    "models/ranking",
    "invoices/pdf",
];
const OBJECT_ENDINGS: &[&str] = &[".parquet", ".json.gz", ".png", ".tar.zst", ".csv"];
const SECRETS: &[&str] =
    &["prod/db", "prod/payments-api-key", "prod/smtp", "staging/db", "ci/github-token", "prod/session-signing"];

fn identity(event: &Event, out: &mut Out) {
    let account = event.account.id;
    let key = |name: &str| name.bytes().fold(u64::from(event.account.net), |key, byte| mix(key ^ u64::from(byte)));
    match &event.actor {
        Actor::Root => {
            out.s(r#"{"type":"Root","principalId":""#).s(account).s(r#"","arn":"arn:aws:iam::"#).s(account);
            out.s(r#":root","accountId":""#).s(account).s(r#"","accessKeyId":""#);
            if event.kind != Kind::SignIn {
                out.s("ASIA").base32(key("root"), 16);
                session(event.at, false, out.s("\""));
            } else {
                out.s("\"");
            }
        }
        Actor::IamUser { name, mfa } => {
            out.s(r#"{"type":"IAMUser","principalId":"AIDA"#)
                .base32(key(name), 16)
                .s(r#"","arn":"arn:aws:iam::"#)
                .s(account);
            out.s(":user/").s(name).s(r#"","accountId":""#).s(account);
            if event.kind != Kind::SignIn {
                let prefix = if mfa.is_some() { "ASIA" } else { "AKIA" };
                out.s(r#"","accessKeyId":""#).s(prefix).base32(mix(key(name)), 16);
            }
            out.s(r#"","userName":""#).s(name).s("\"");
            if let Some(mfa) = mfa {
                session(event.at, *mfa, out);
            }
        }
        Actor::Role { name, session: label, mfa } => {
            out.s(r#"{"type":"AssumedRole","principalId":"AROA"#).base32(key(name), 16).s(":").s(label);
            out.s(r#"","arn":"arn:aws:sts::"#).s(account).s(":assumed-role/").s(name).s("/").s(label);
            out.s(r#"","accountId":""#).s(account).s(r#"","accessKeyId":"ASIA"#).base32(mix(key(label)), 16);
            out.s(r#"","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA"#).base32(key(name), 16);
            out.s(r#"","arn":"arn:aws:iam::"#).s(account).s(":role/").s(name).s(r#"","accountId":""#).s(account);
            out.s(r#"","userName":""#).s(name).s(r#""},"attributes":"#);
            attributes(event.at, *mfa, out).s("}");
        }
        Actor::Service(name) => {
            out.s(r#"{"type":"AWSService","invokedBy":""#).s(name).s("\"");
        }
    }
    out.s("}");
}

fn session(at: i64, mfa: bool, out: &mut Out) {
    attributes(at, mfa, out.s(r#","sessionContext":{"attributes":"#)).s("}");
}

fn attributes(at: i64, mfa: bool, out: &mut Out) -> &mut Out {
    let creation = at - at.rem_euclid(3600 * MICROS);
    out.s(r#"{"creationDate":""#).seconds(creation).s(r#"","mfaAuthenticated":""#);
    out.s(if mfa { "true" } else { "false" }).s(r#""}"#)
}
