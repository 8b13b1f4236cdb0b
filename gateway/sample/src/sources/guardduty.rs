//! Amazon GuardDuty findings as its export to S3 has them, one a line.

use super::Scene;
use crate::geo::{self, RANGES, Use};
use crate::org::{ACCOUNT_WEIGHT, ACCOUNTS, Account, HOSTS, REGION_WEIGHT, REGIONS, ip};
use crate::out::Out;
use crate::rng::{Rng, mix};

pub struct Finding<'a> {
    pub at: i64,
    pub account: &'a Account,
    pub region: &'a str,
    pub kind: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    /// In tenths: GuardDuty's scale goes to 10.0, and low ones have a fraction.
    pub severity: u64,
    pub resource: Resource<'a>,
    pub action: Action<'a>,
    pub count: u64,
}

pub enum Resource<'a> {
    Instance(u32),
    AccessKey { user: &'a str, kind: &'a str },
    Bucket(&'a str),
}

pub enum Action<'a> {
    /// Port of ours, remote address, blocked.
    PortProbe(u64, u32),
    Network {
        direction: &'a str,
        local_port: u64,
        remote: u32,
        remote_port: u64,
    },
    Dns(&'a str),
    Api {
        service: &'a str,
        api: &'a str,
        remote: u32,
    },
}

struct Kind {
    weight: u64,
    name: &'static str,
    title: &'static str,
    severity: u64,
}

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    Kind { weight: 40, name: "Recon:EC2/PortProbeUnprotectedPort", title: "An unprotected port on an EC2 instance is being probed.", severity: 20 },
    Kind { weight: 25, name: "UnauthorizedAccess:EC2/SSHBruteForce", title: "An EC2 instance is under SSH brute force attack.", severity: 20 },
    Kind { weight: 12, name: "Discovery:IAMUser/AnomalousBehavior", title: "APIs commonly used in Discovery tactics were invoked by a user under anomalous circumstances.", severity: 20 },
    Kind { weight: 8, name: "Policy:S3/BucketBlockPublicAccessDisabled", title: "Amazon S3 Block Public Access was disabled for an S3 bucket.", severity: 20 },
    Kind { weight: 8, name: "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", title: "Multiple worldwide successful console logins by one user.", severity: 50 },
    Kind { weight: 7, name: "Behavior:EC2/TrafficVolumeUnusual", title: "An EC2 instance is generating unusually large amounts of network traffic.", severity: 50 },
];
const KINDS_WEIGHT: u64 = 100;

pub fn write(scene: &Scene, rng: &mut Rng, at: i64, out: &mut Out) {
    let kind = rng.weighted(KINDS, KINDS_WEIGHT, |kind| kind.weight);
    let account = rng.weighted(ACCOUNTS, ACCOUNT_WEIGHT, |account| account.weight);
    let region = rng.weighted(REGIONS, REGION_WEIGHT, |region| region.weight);
    let remote = scanner(rng);
    let host =
        if account.net == 20 { rng.pick(HOSTS).1 } else { ip(10, account.net as u8, 4, 10 + rng.below(30) as u8) };
    let user = &scene.org.people[*rng.pick(&scene.org.iam_users)];
    let person = || Resource::AccessKey { user: &user.login, kind: "IAMUser" };
    let (resource, action) = match kind.name {
        "Recon:EC2/PortProbeUnprotectedPort" => {
            (Resource::Instance(host), Action::PortProbe(*rng.pick(&[22, 80, 443, 8080]), remote))
        }
        "UnauthorizedAccess:EC2/SSHBruteForce" => (
            Resource::Instance(host),
            Action::Network { direction: "INBOUND", local_port: 22, remote, remote_port: rng.range(1024, 65_535) },
        ),
        "Behavior:EC2/TrafficVolumeUnusual" => (
            Resource::Instance(host),
            Action::Network { direction: "OUTBOUND", local_port: rng.range(1024, 65_535), remote, remote_port: 443 },
        ),
        "Policy:S3/BucketBlockPublicAccessDisabled" => {
            let api =
                Action::Api { service: "s3.amazonaws.com", api: "PutBucketPublicAccessBlock", remote: user.ip(at) };
            (Resource::Bucket(rng.word(crate::org::BUCKETS)), api)
        }
        "Discovery:IAMUser/AnomalousBehavior" => {
            (person(), Action::Api { service: "iam.amazonaws.com", api: "ListRoles", remote: user.ip(at) })
        }
        _ => (person(), Action::Api { service: "signin.amazonaws.com", api: "ConsoleLogin", remote: user.ip(at) }),
    };
    let count = 1 + rng.below(30);
    let (description, severity) = (kind.title, kind.severity);
    let finding = Finding {
        at,
        account,
        region: region.name,
        kind: kind.name,
        title: kind.title,
        description,
        severity,
        resource,
        action,
        count,
    };
    emit(&finding, rng, out);
}

fn scanner(rng: &mut Rng) -> u32 {
    loop {
        let (used, range) = rng.pick(RANGES);
        if *used == Use::Internet && range.country != "US" {
            let (base, size) = geo::span(range.cidr);
            return base + 1 + rng.below(u64::from(size) - 2) as u32;
        }
    }
}

pub fn emit(finding: &Finding, rng: &mut Rng, out: &mut Out) {
    let account = finding.account;
    let (id, detector) = (rng.bits(), mix(u64::from(account.net)));
    out.s(r#"{"schemaVersion":"2.0","accountId":""#)
        .s(account.id)
        .s(r#"","region":""#)
        .s(finding.region)
        .s(r#"","partition":"aws","id":""#);
    out.hex(id, 32)
        .s(r#"","arn":"arn:aws:guardduty:"#)
        .s(finding.region)
        .s(":")
        .s(account.id)
        .s(":detector/")
        .hex(detector, 32);
    out.s("/finding/").hex(id, 32).s(r#"","type":""#).s(finding.kind).s(r#"","resource":"#);
    resource(finding, out);
    out.s(r#","service":{"serviceName":"guardduty","detectorId":""#).hex(detector, 32).s(r#"","action":"#);
    action(&finding.action, out);
    out.s(r#","resourceRole":"TARGET","additionalInfo":{"value":"{}","type":"default"},"eventFirstSeen":""#)
        .seconds(finding.at - 600_000_000);
    out.s(r#"","eventLastSeen":""#).seconds(finding.at).s(r#"","archived":false,"count":"#).n(finding.count);
    out.s(r#"},"severity":"#).n(finding.severity / 10);
    if !finding.severity.is_multiple_of(10) {
        out.s(".").n(finding.severity % 10);
    }
    out.s(r#","createdAt":""#)
        .millis(finding.at)
        .s(r#"","updatedAt":""#)
        .millis(finding.at)
        .s(r#"","title":""#)
        .s(finding.title);
    out.s(r#"","description":""#).s(finding.description).s(r#""}"#);
}

fn resource(finding: &Finding, out: &mut Out) {
    match &finding.resource {
        Resource::Instance(private) => {
            out.s(r#"{"resourceType":"Instance","instanceDetails":{"instanceId":"i-0"#)
                .hex(mix(u64::from(*private)), 16);
            out.s(r#"","instanceType":"m7g.large","instanceState":"running","availabilityZone":""#)
                .s(finding.region)
                .s(r#"a","imageId":"ami-0c2b8ca1dad447f8a","networkInterfaces":[{"networkInterfaceId":"eni-0"#);
            out.hex(mix(u64::from(*private)), 16).s(r#"","privateIpAddress":""#).ip(*private).s(r#"","vpcId":"vpc-0"#);
            out.hex(mix(u64::from(finding.account.net) + 40), 16)
                .s(r#"","securityGroups":[{"groupId":"sg-0a4c1d9e27b35f680","groupName":"default"}]}],"tags":[]}}"#);
        }
        Resource::AccessKey { user, kind } => {
            let key = user.bytes().fold(u64::from(finding.account.net), |key, byte| mix(key ^ u64::from(byte)));
            out.s(r#"{"resourceType":"AccessKey","accessKeyDetails":{"accessKeyId":"ASIA"#).base32(mix(key), 16);
            out.s(r#"","principalId":"AIDA"#)
                .base32(key, 16)
                .s(r#"","userType":""#)
                .s(kind)
                .s(r#"","userName":""#)
                .s(user)
                .s(r#""}}"#);
        }
        Resource::Bucket(bucket) => {
            out.s(r#"{"resourceType":"S3Bucket","s3BucketDetails":[{"arn":"arn:aws:s3:::"#)
                .s(bucket)
                .s(r#"","name":""#)
                .s(bucket);
            out.s(r#"","type":"Destination","owner":{"id":"CanonicalId of the owner"}}]}"#);
        }
    }
}

fn action(action: &Action, out: &mut Out) {
    match action {
        Action::PortProbe(port, from) => {
            out.s(r#"{"actionType":"PORT_PROBE","portProbeAction":{"portProbeDetails":[{"localPortDetails":{"port":"#)
                .n(*port);
            out.s(r#","portName":"Unknown"},"remoteIpDetails":"#);
            remote_details(*from, out);
            out.s(r#"}],"blocked":false}}"#);
        }
        Action::Network { direction, local_port, remote, remote_port } => {
            out.s(r#"{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{"connectionDirection":""#)
                .s(direction);
            out.s(r#"","localPortDetails":{"port":"#)
                .n(*local_port)
                .s(r#","portName":"Unknown"},"protocol":"TCP","blocked":false,"remotePortDetails":{"port":"#);
            out.n(*remote_port).s(r#","portName":"Unknown"},"remoteIpDetails":"#);
            remote_details(*remote, out);
            out.s("}}");
        }
        Action::Dns(domain) => {
            out.s(r#"{"actionType":"DNS_REQUEST","dnsRequestAction":{"domain":""#)
                .s(domain)
                .s(r#"","protocol":"UDP","blocked":false}}"#);
        }
        Action::Api { service, api, remote } => {
            out.s(r#"{"actionType":"AWS_API_CALL","awsApiCallAction":{"api":""#)
                .s(api)
                .s(r#"","serviceName":""#)
                .s(service);
            out.s(r#"","callerType":"Remote IP","remoteIpDetails":"#);
            remote_details(*remote, out);
            out.s("}}");
        }
    }
}

fn remote_details(ip: u32, out: &mut Out) {
    out.s(r#"{"ipAddressV4":""#).ip(ip).s("\"");
    if let Some(range) = geo::range_of(ip) {
        let place = geo::place_of(range.city);
        out.s(r#","organization":{"asn":""#)
            .n(u64::from(range.asn))
            .s(r#"","asnOrg":""#)
            .s(range.as_org)
            .s(r#"","isp":""#)
            .s(range.as_org);
        out.s(r#"","org":""#)
            .s(range.as_org)
            .s(r#""},"country":{"countryName":""#)
            .s(place.country_name)
            .s(r#""},"city":{"cityName":""#);
        out.s(place.city).s(r#""},"geoLocation":{"lat":"#).s(place.lat).s(r#","lon":"#).s(place.lon).s("}");
    }
    out.s("}");
}
