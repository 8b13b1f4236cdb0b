//! What GuardDuty made of it.

use super::{Attack, BACKDOOR, BASTION, C2, INTRUDER, Planter, SSH_GUESSER};
use crate::org::PROD;
use crate::sources::guardduty::{Action, Finding, Resource};

pub const FINDINGS: Attack = Attack {
    title: "GuardDuty's findings",
    when: "26 to 15 hours before the end",
    tables: &["guardduty"],
    actor: "root, svc-backup-sync, bastion-1",
    address: "all of the above",
    what: "One finding for each step in account 418203756911, nine of severity 7 and above; everything else in the table is of severity 5 at most.",
    sql: "SELECT time, action, severity, actor_name, target_name FROM guardduty WHERE severity >= 4 ORDER BY time",
    question: Some("high and critical findings from any tool in the last 3 days"),
    plant: findings,
};

fn findings(planter: &mut Planter) {
    let root = || Resource::AccessKey { user: "Root", kind: "Root" };
    let backdoor = || Resource::AccessKey { user: BACKDOOR, kind: "IAMUser" };
    let api = |service, api| Action::Api { service, api, remote: INTRUDER };
    let all = [
        (
            25 * 60 + 58,
            "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom",
            "An API was invoked by root from an IP address on a custom threat list.",
            85,
            root(),
            api("signin.amazonaws.com", "ConsoleLogin"),
        ),
        (
            25 * 60 + 45,
            "Persistence:IAMUser/AnomalousBehavior",
            "A user invoked APIs commonly used in Persistence tactics.",
            70,
            root(),
            api("iam.amazonaws.com", "CreateAccessKey"),
        ),
        (
            25 * 60 + 25,
            "Stealth:IAMUser/CloudTrailLoggingDisabled",
            "AWS CloudTrail trail prod-trail was disabled.",
            20,
            backdoor(),
            api("cloudtrail.amazonaws.com", "StopLogging"),
        ),
        (
            22 * 60 + 30,
            "Recon:EC2/PortProbeUnprotectedPort",
            "Unprotected port 22 of the bastion is being probed.",
            20,
            Resource::Instance(BASTION),
            Action::PortProbe(22, SSH_GUESSER),
        ),
        (
            21 * 60 + 41,
            "UnauthorizedAccess:EC2/SSHBruteForce",
            "198.51.100.88 is performing SSH brute force attacks against the bastion.",
            80,
            Resource::Instance(BASTION),
            Action::Network { direction: "INBOUND", local_port: 22, remote: SSH_GUESSER, remote_port: 41_999 },
        ),
        (
            21 * 60,
            "Backdoor:EC2/C&CActivity.B",
            "The bastion is communicating with a known command and control server.",
            80,
            Resource::Instance(BASTION),
            Action::Network { direction: "OUTBOUND", local_port: 50_004, remote: C2, remote_port: 8443 },
        ),
        (
            19 * 60 + 4,
            "Exfiltration:S3/AnomalousBehavior",
            "A user read S3 objects in a suspicious way.",
            80,
            Resource::Bucket("larkspur-customer-exports"),
            api("s3.amazonaws.com", "GetObject"),
        ),
        (
            18 * 60 + 58,
            "Policy:S3/BucketAnonymousAccessGranted",
            "Anonymous access was granted to an S3 bucket.",
            80,
            Resource::Bucket("larkspur-customer-exports"),
            api("s3.amazonaws.com", "PutBucketPolicy"),
        ),
        (
            15 * 60 + 50,
            "Impact:IAMUser/AnomalousBehavior",
            "A user invoked APIs commonly used in Impact tactics.",
            80,
            backdoor(),
            api("ec2.amazonaws.com", "RunInstances"),
        ),
        (
            15 * 60,
            "CryptoCurrency:EC2/BitcoinTool.B!DNS",
            "An EC2 instance is querying a domain name that is associated with cryptocurrency.",
            80,
            Resource::Instance(crate::org::ip(10, 20, 4, 59)),
            Action::Dns("pool.coin-mine.example"),
        ),
        (
            25 * 60 + 40,
            "AttackSequence:IAM/CompromisedCredentials",
            "Potential credential compromise of root indicated by a sequence of actions.",
            90,
            root(),
            api("iam.amazonaws.com", "AttachUserPolicy"),
        ),
    ];
    for (minutes, kind, title, severity, resource, action) in all {
        let region =
            if kind.starts_with("CryptoCurrency") || kind.starts_with("Impact") { "af-south-1" } else { "us-east-1" };
        let at = planter.before(minutes);
        planter.finding(&Finding {
            at,
            account: PROD,
            region,
            kind,
            title,
            description: title,
            severity,
            resource,
            action,
            count: 1,
        });
    }
}
