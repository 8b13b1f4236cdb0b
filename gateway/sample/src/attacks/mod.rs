//! The attacks hidden in the sample. `docs/demo.md` is written from [`ATTACKS`], and a test compares the two.

mod aws;
mod findings;
mod hosts;
mod people;
mod platform;

use crate::SampleSpec;
use crate::org::{self, Account, Person};
use crate::out::{MICROS, Out};
use crate::rng::Rng;
use crate::sources::cloudtrail::{self, Actor, ConsoleLogin, Event, From, Kind};
use crate::sources::guardduty::{self, Finding};
use crate::sources::syslog::{self, Line};
use crate::sources::vpc_flow::{self, Flow};
use crate::sources::{
    CLOUDTRAIL, GITHUB, GUARDDUTY, KUBERNETES, OKTA, SYSLOG, Scene, VPC_FLOW, github, kubernetes, okta,
};

const MINUTE: i64 = 60 * MICROS;
/// The story takes a week; in a shorter sample it happens faster.
const STORY_MINUTES: i64 = 7 * 24 * 60;
/// Bursts have their full length from this many events on.
const FULL_BURSTS: u64 = 100_000;
const SHORTEST_BURST: u64 = 8;

/// Broke into root and holds the key of the user it made.
const INTRUDER: u32 = org::ip(198, 51, 100, 23);
/// Guesses passwords, on Okta and over ssh.
const SPRAYER: u32 = org::ip(203, 0, 113, 77);
const SSH_GUESSER: u32 = org::ip(198, 51, 100, 88);
const C2: u32 = org::ip(192, 0, 2, 143);
const STOLEN_SESSION: u32 = org::ip(192, 0, 2, 214);
const BASTION: u32 = org::ip(10, 20, 1, 10);
const BACKDOOR: &str = "svc-backup-sync";
const PYTHON: &str = "python-requests/2.32.5";

/// One attack: what to look for and a statement that finds it.
pub struct Attack {
    pub title: &'static str,
    /// Time before the end of the sample, for people.
    pub when: &'static str,
    pub tables: &'static [&'static str],
    pub actor: &'static str,
    pub address: &'static str,
    pub what: &'static str,
    pub sql: &'static str,
    /// A question in English that leads there, where there is a short one.
    pub question: Option<&'static str>,
    plant: fn(&mut Planter),
}

pub const ATTACKS: &[Attack] = &[
    aws::ROOT_LOGIN,
    aws::IAM_BACKDOOR,
    aws::STOP_LOGGING,
    people::MFA_DISABLED,
    aws::NEW_BUCKETS,
    people::PASSWORD_SPRAY,
    people::IMPOSSIBLE_TRAVEL,
    platform::GITHUB_LEAK,
    platform::KUBERNETES_SECRETS,
    aws::OPEN_SECURITY_GROUP,
    hosts::PORT_SCAN,
    hosts::SSH_BRUTE_FORCE,
    hosts::BEACON,
    aws::EXFILTRATION,
    aws::CRYPTO_MINING,
    findings::FINDINGS,
];

pub struct Planted {
    pub source: usize,
    pub at: i64,
    pub bytes: Vec<u8>,
}

/// All planted events, the most telling first.
pub fn plant(scene: &Scene, spec: &SampleSpec, start: i64) -> Vec<Planted> {
    let end = spec.end.timestamp_micros();
    let rng = Rng::new(&[spec.seed, u64::MAX]);
    let mut planter = Planter { scene, start, end, events: spec.events, rng, planted: Vec::new() };
    for attack in ATTACKS {
        (attack.plant)(&mut planter);
    }
    planter.planted
}

struct Planter<'a> {
    scene: &'a Scene,
    start: i64,
    end: i64,
    events: u64,
    rng: Rng,
    planted: Vec<Planted>,
}

impl Planter<'_> {
    /// The moment `minutes` before the end.
    fn before(&self, minutes: i64) -> i64 {
        let window = (self.end - self.start) / MINUTE;
        let scaled = if window < STORY_MINUTES { minutes * MINUTE / STORY_MINUTES * window } else { minutes * MINUTE };
        (self.end - scaled).max(self.start)
    }

    fn burst(&self, full: u64) -> u64 {
        (full * self.events.min(FULL_BURSTS) / FULL_BURSTS).max(SHORTEST_BURST.min(full))
    }

    /// The `index`-th of `count` moments spread over the minutes from `from` to `until`, both before the end.
    fn spread(&mut self, from: i64, until: i64, index: u64, count: u64) -> i64 {
        let (first, last) = (self.before(from), self.before(until));
        let slice = (last - first) / count.max(1) as i64;
        first + slice * index as i64 + self.rng.below(slice.max(1) as u64) as i64
    }

    fn push(&mut self, source: usize, at: i64, write: impl FnOnce(&mut Out, &mut Rng)) {
        let mut out = Out::with_capacity(1024);
        write(&mut out, &mut self.rng);
        self.planted.push(Planted { source, at, bytes: out.bytes });
    }

    fn console_login(&mut self, login: &ConsoleLogin) {
        self.push(CLOUDTRAIL, login.at, |out, rng| cloudtrail::console_login(login, rng, out));
    }

    fn call(&mut self, call: &ApiCall) {
        let event = Event {
            at: call.at,
            actor: match call.user {
                Some(name) => Actor::IamUser { name, mfa: None },
                None => Actor::Root,
            },
            account: call.account,
            region: call.region,
            from: From::Ip(call.ip),
            agent: call.agent,
            service: call.service,
            name: call.name,
            read: call.data,
            kind: if call.data { Kind::Data } else { Kind::Management },
            error: call.error,
            request: call.request,
            response: call.response,
            additional: "",
            resources: call.resources,
        };
        self.push(CLOUDTRAIL, call.at, |out, rng| cloudtrail::emit(&event, rng, "", out));
    }

    fn okta(&mut self, login: &OktaLogin, target: impl Fn(&Person) -> String) {
        let scene = self.scene;
        let actor = scene.org.by_login(login.login);
        let target = target(actor);
        let event = okta::Event {
            at: login.at,
            kind: login.kind,
            message: login.message,
            severity: if login.reason.is_some() { "WARN" } else { "INFO" },
            actor,
            ip: login.ip.unwrap_or_else(|| actor.ip(login.at)),
            agent: login.agent.unwrap_or(actor.browser.agent),
            os: actor.browser.os,
            browser: actor.browser.name,
            result: if login.reason.is_some() { "FAILURE" } else { "SUCCESS" },
            reason: login.reason,
            target: &target,
        };
        self.push(OKTA, login.at, |out, rng| okta::emit(&event, rng, out));
    }

    fn flow(&mut self, flow: &Flow) {
        self.push(VPC_FLOW, flow.at, |out, _| vpc_flow::emit(flow, out));
    }

    fn line(&mut self, line: &Line) {
        self.push(SYSLOG, line.at, |out, _| syslog::emit(line, out));
    }

    fn github(&mut self, event: &github::Event) {
        self.push(GITHUB, event.at, |out, rng| github::emit(event, rng, out));
    }

    fn kubernetes(&mut self, event: &kubernetes::Event) {
        self.push(KUBERNETES, event.at, |out, rng| kubernetes::emit(event, rng, out));
    }

    fn finding(&mut self, finding: &Finding) {
        self.push(GUARDDUTY, finding.at, |out, rng| guardduty::emit(finding, rng, out));
    }
}

/// An AWS call by an IAM user, or by root.
#[derive(Clone, Copy)]
struct ApiCall<'a> {
    at: i64,
    user: Option<&'a str>,
    account: &'a Account,
    region: &'a str,
    ip: u32,
    agent: &'a str,
    service: &'a str,
    name: &'a str,
    data: bool,
    error: Option<(&'a str, &'a str)>,
    request: &'a str,
    response: &'a str,
    resources: &'a str,
}

struct OktaLogin<'a> {
    at: i64,
    login: &'a str,
    kind: &'a str,
    message: &'a str,
    /// None for where the person usually is.
    ip: Option<u32>,
    agent: Option<&'a str>,
    /// Set for a failure.
    reason: Option<&'a str>,
}
