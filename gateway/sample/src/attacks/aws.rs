//! The intruder in the production account.

use super::{ApiCall, Attack, BACKDOOR, INTRUDER, Planter};
use crate::org::{DATA, PROD};
use crate::sources::cloudtrail::{CLI, ConsoleLogin};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

fn by_backdoor<'a>(at: i64, service: &'a str, name: &'a str) -> ApiCall<'a> {
    ApiCall {
        at,
        user: Some(BACKDOOR),
        account: PROD,
        region: "us-east-1",
        ip: INTRUDER,
        agent: CLI,
        service,
        name,
        data: false,
        error: None,
        request: "",
        response: "",
        resources: "",
    }
}

fn by_root<'a>(at: i64, service: &'a str, name: &'a str) -> ApiCall<'a> {
    ApiCall { user: None, agent: BROWSER, ..by_backdoor(at, service, name) }
}

pub const ROOT_LOGIN: Attack = Attack {
    title: "Root's password is guessed",
    when: "27 to 26 hours before the end",
    tables: &["cloudtrail"],
    actor: "root",
    address: "198.51.100.23 (RO)",
    what: "11 failed console logins by root of account 418203756911 (prod), then one that succeeds, without MFA.",
    sql: "SELECT time, outcome, src_ip, src_country, mfa FROM cloudtrail\nWHERE action = 'ConsoleLogin' AND actor_type = 'Root' ORDER BY time",
    question: Some("failed console logins by root"),
    plant: root_login,
};

fn root_login(planter: &mut Planter) {
    const FAILURES: u64 = 11;
    for index in 0..=FAILURES {
        let failed = index < FAILURES;
        let at = if failed { planter.spread(27 * 60, 26 * 60 + 5, index, FAILURES) } else { planter.before(26 * 60) };
        planter.console_login(&ConsoleLogin {
            at,
            user: None,
            account: PROD,
            ip: INTRUDER,
            agent: BROWSER,
            failed,
            mfa: false,
        });
    }
}

pub const IAM_BACKDOOR: Attack = Attack {
    title: "A back door in IAM",
    when: "25 hours 50 minutes before the end",
    tables: &["cloudtrail"],
    actor: "root",
    address: "198.51.100.23 (RO)",
    what: "CreateUser, AttachUserPolicy (AdministratorAccess), CreateAccessKey and CreateLoginProfile for svc-backup-sync within five minutes.",
    sql: "SELECT time, action, target_name, raw #>> '{requestParameters,policyArn}' AS policy FROM cloudtrail\nWHERE actor_type = 'Root' AND service = 'iam.amazonaws.com' ORDER BY time",
    question: Some("who created access keys in the last 7 days"),
    plant: iam_backdoor,
};

fn iam_backdoor(planter: &mut Planter) {
    const STEPS: &[(&str, &str, &str)] = &[
        (
            "CreateUser",
            r#"{"path":"/","userName":"svc-backup-sync"}"#,
            r#"{"user":{"path":"/","userName":"svc-backup-sync","userId":"AIDAX7Q2M4LKD3ZTB5HN","arn":"arn:aws:iam::418203756911:user/svc-backup-sync"}}"#,
        ),
        (
            "AttachUserPolicy",
            r#"{"userName":"svc-backup-sync","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#,
            "",
        ),
        (
            "CreateAccessKey",
            r#"{"userName":"svc-backup-sync"}"#,
            r#"{"accessKey":{"userName":"svc-backup-sync","accessKeyId":"AKIAX7Q2M4LKD3ZTB5HN","status":"Active"}}"#,
        ),
        (
            "CreateLoginProfile",
            r#"{"userName":"svc-backup-sync","passwordResetRequired":false}"#,
            r#"{"loginProfile":{"userName":"svc-backup-sync","passwordResetRequired":false}}"#,
        ),
    ];
    for (index, (name, request, response)) in STEPS.iter().enumerate() {
        let at = planter.before(25 * 60 + 50 - index as i64);
        planter.call(&ApiCall { request, response, ..by_root(at, "iam", name) });
    }
}

pub const STOP_LOGGING: Attack = Attack {
    title: "The trail is stopped",
    when: "25 hours 30 minutes before the end",
    tables: &["cloudtrail"],
    actor: "svc-backup-sync",
    address: "198.51.100.23 (RO)",
    what: "DescribeTrails, then StopLogging on the account's own trail. (The organisation's trail goes on, which is why there is more to see.)",
    sql: "SELECT time, actor_name, action, src_ip FROM cloudtrail\nWHERE action IN ('StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors')",
    question: Some("who stopped cloudtrail logging"),
    plant: stop_logging,
};

fn stop_logging(planter: &mut Planter) {
    let trail = r#"{"name":"arn:aws:cloudtrail:us-east-1:418203756911:trail/prod-trail"}"#;
    planter.call(&by_backdoor(planter.before(25 * 60 + 32), "cloudtrail", "DescribeTrails"));
    planter.call(&ApiCall { request: trail, ..by_backdoor(planter.before(25 * 60 + 30), "cloudtrail", "StopLogging") });
}

pub const NEW_BUCKETS: Attack = Attack {
    title: "New buckets, one of them for the loot",
    when: "20, 9 and 3 hours before the end",
    tables: &["cloudtrail"],
    actor: "svc-backup-sync (the first); ada.abbott and grace.moreau (ordinary work)",
    address: "198.51.100.23 (RO) for the first",
    what: "CreateBucket of larkspur-tmp-sync-7f3a by the back door; two other buckets are innocent.",
    sql: "SELECT time, actor_name, target_name, src_country FROM cloudtrail\nWHERE action = 'CreateBucket' AND time >= now() - interval '24 hours' ORDER BY time",
    question: Some("List all S3 buckets created in the last 24 hours"),
    plant: new_buckets,
};

fn new_buckets(planter: &mut Planter) {
    const MADE: &[(i64, &str, &str)] = &[
        (20 * 60, BACKDOOR, "larkspur-tmp-sync-7f3a"),
        (9 * 60, "ada.abbott", "larkspur-ml-experiments"),
        (3 * 60, "grace.moreau", "larkspur-brand-assets"),
    ];
    for (minutes, user, bucket) in MADE {
        let at = planter.before(*minutes);
        let request = format!(r#"{{"bucketName":"{bucket}","Host":"s3.us-east-1.amazonaws.com"}}"#);
        let resources = bucket_resource(bucket);
        let ip = if *user == BACKDOOR { INTRUDER } else { planter.scene.org.by_login(user).ip(at) };
        planter.call(&ApiCall {
            user: Some(user),
            ip,
            request: &request,
            resources: &resources,
            ..by_backdoor(at, "s3", "CreateBucket")
        });
    }
}

fn bucket_resource(bucket: &str) -> String {
    format!(r#"[{{"accountId":"418203756911","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::{bucket}"}}]"#)
}

pub const OPEN_SECURITY_GROUP: Attack = Attack {
    title: "A security group is opened to the world",
    when: "23 hours before the end",
    tables: &["cloudtrail"],
    actor: "svc-backup-sync",
    address: "198.51.100.23 (RO)",
    what: "AuthorizeSecurityGroupIngress on the bastion's group: port 22 from 0.0.0.0/0. Ordinary rules of that kind allow 10.0.0.0/8.",
    sql: "SELECT time, actor_name, raw #>> '{requestParameters,groupId}' AS security_group FROM cloudtrail\nWHERE action = 'AuthorizeSecurityGroupIngress' AND raw::text LIKE '%0.0.0.0/0%'",
    question: Some("security groups opened to the world in last 7 days"),
    plant: open_security_group,
};

fn open_security_group(planter: &mut Planter) {
    let request = r#"{"groupId":"sg-0a4c1d9e27b35f680","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#;
    let response = r#"{"_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"418203756911","groupId":"sg-0a4c1d9e27b35f680","securityGroupRuleId":"sgr-0d21c7f4b98e3a560","isEgress":false,"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIpv4":"0.0.0.0/0"}]}}"#;
    let at = planter.before(23 * 60);
    planter.call(&ApiCall { request, response, ..by_backdoor(at, "ec2", "AuthorizeSecurityGroupIngress") });
}

pub const EXFILTRATION: Attack = Attack {
    title: "Customer data leaves S3",
    when: "20 to 19 hours before the end",
    tables: &["cloudtrail"],
    actor: "svc-backup-sync",
    address: "198.51.100.23 (RO)",
    what: "600 GetObject calls on larkspur-customer-exports, then its public access block is lifted and its policy lets everybody read.",
    sql: "SELECT actor_name, src_ip, count(*) AS objects FROM cloudtrail\nWHERE action = 'GetObject' AND raw #>> '{requestParameters,bucketName}' = 'larkspur-customer-exports'\nGROUP BY actor_name, src_ip ORDER BY objects DESC LIMIT 5",
    question: Some("s3 buckets made public"),
    plant: exfiltration,
};

fn exfiltration(planter: &mut Planter) {
    const BUCKET: &str = "larkspur-customer-exports";
    let host = format!("{BUCKET}.s3.us-east-1.amazonaws.com");
    let objects = planter.burst(600);
    for index in 0..objects {
        let at = planter.spread(19 * 60 + 55, 19 * 60 + 5, index, objects);
        let key = format!("exports/customers/part-{index:05}.parquet");
        let request = format!(r#"{{"bucketName":"{BUCKET}","Host":"{host}","key":"{key}"}}"#);
        let resources = format!(
            r#"[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::{BUCKET}/{key}"}},{{"accountId":"418203756911","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::{BUCKET}"}}]"#
        );
        planter.call(&ApiCall {
            data: true,
            request: &request,
            resources: &resources,
            ..by_backdoor(at, "s3", "GetObject")
        });
    }
    let resources = bucket_resource(BUCKET);
    let block = format!(
        r#"{{"publicAccessBlock":"","bucketName":"{BUCKET}","Host":"{host}","PublicAccessBlockConfiguration":{{"BlockPublicAcls":false,"IgnorePublicAcls":false,"BlockPublicPolicy":false,"RestrictPublicBuckets":false}}}}"#
    );
    let policy = format!(
        r#"{{"bucketPolicy":{{"Version":"2012-10-17","Statement":[{{"Sid":"PublicRead","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::{BUCKET}/*"}}]}},"bucketName":"{BUCKET}","Host":"{host}","policy":""}}"#
    );
    for (minutes, name, request) in
        [(19 * 60 + 2, "PutBucketPublicAccessBlock", &block), (19 * 60, "PutBucketPolicy", &policy)]
    {
        let at = planter.before(minutes);
        planter.call(&ApiCall { request, resources: &resources, ..by_backdoor(at, "s3", name) });
    }
}

pub const CRYPTO_MINING: Attack = Attack {
    title: "Mining in a region nobody uses",
    when: "16 hours before the end",
    tables: &["cloudtrail"],
    actor: "svc-backup-sync",
    address: "198.51.100.23 (RO)",
    what: "RunInstances of p4d.24xlarge in af-south-1: two calls refused for lack of quota, then six of g5.12xlarge that succeed, in the data account too.",
    sql: "SELECT region, actor_name, outcome, count(*) FROM cloudtrail\nWHERE action = 'RunInstances' GROUP BY region, actor_name, outcome ORDER BY count(*)",
    question: Some("gpu instances launched"),
    plant: crypto_mining,
};

fn crypto_mining(planter: &mut Planter) {
    const REFUSED: (&str, &str) = (
        "Client.VcpuLimitExceeded",
        "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the specified instance type belongs to.",
    );
    for index in 0..8_i64 {
        let (kind, error) = if index < 2 { ("p4d.24xlarge", Some(REFUSED)) } else { ("g5.12xlarge", None) };
        let request = format!(
            r#"{{"instancesSet":{{"items":[{{"imageId":"ami-0b7e4d2c91f3a5680","minCount":4,"maxCount":4}}]}},"instanceType":"{kind}","blockDeviceMapping":{{}},"monitoring":{{"enabled":false}}}}"#
        );
        let response = format!(
            r#"{{"reservationId":"r-0c3e{index:013}","ownerId":"418203756911","instancesSet":{{"items":[{{"instanceId":"i-0c3e{index:013}","imageId":"ami-0b7e4d2c91f3a5680","instanceType":"{kind}","instanceState":{{"code":0,"name":"pending"}}}}]}}}}"#
        );
        let account = if index == 7 { DATA } else { PROD };
        let at = planter.before(16 * 60 - index);
        let call = by_backdoor(at, "ec2", "RunInstances");
        planter.call(&ApiCall { account, region: "af-south-1", error, request: &request, response: &response, ..call });
    }
}
