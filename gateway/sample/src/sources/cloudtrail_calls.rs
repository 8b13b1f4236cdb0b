//! The API calls of an ordinary day, with how often each is made.

pub struct Call {
    pub weight: u16,
    pub service: &'static str,
    pub name: &'static str,
    pub read: bool,
    pub data: bool,
    pub request: &'static str,
    pub response: &'static str,
    pub resources: &'static str,
}

const fn call(weight: u16, service: &'static str, name: &'static str, request: &'static str) -> Call {
    Call { weight, service, name, read: false, data: false, request, response: "", resources: "" }
}

impl Call {
    const fn read(self) -> Self {
        Self { read: true, ..self }
    }

    const fn data(self) -> Self {
        Self { data: true, ..self }
    }

    const fn gives(self, response: &'static str) -> Self {
        Self { response, ..self }
    }

    const fn on(self, resources: &'static str) -> Self {
        Self { resources, ..self }
    }
}

const fn total(calls: &[Call]) -> u64 {
    let mut sum = 0;
    let mut index = 0;
    while index < calls.len() {
        sum += calls[index].weight as u64;
        index += 1;
    }
    sum
}

pub const SERVICES_WEIGHT: u64 = total(SERVICES);
pub const PEOPLE_WEIGHT: u64 = total(PEOPLE);

const OBJECT: &str = r#"[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::$b/$k"},{"accountId":"$a","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::$b"}]"#;
const BUCKET: &str = r#"[{"accountId":"$a","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::$b"}]"#;
const KEY: &str =
    r#"[{"accountId":"$a","type":"AWS::KMS::Key","ARN":"arn:aws:kms:$g:$a:key/5c1f7a20-94be-4f0d-8a53-1d2e6b7c9f01"}]"#;
const OF_OBJECT: &str = r#"{"bucketName":"$b","Host":"$b.s3.$g.amazonaws.com","key":"$k"}"#;
const OF_BUCKET: &str = r#"{"bucketName":"$b","Host":"$b.s3.$g.amazonaws.com"}"#;

#[rustfmt::skip]
pub const SERVICES: &[Call] = &[
    call(300, "s3", "GetObject", OF_OBJECT).read().data().on(OBJECT),
    call(140, "s3", "PutObject", OF_OBJECT).data().gives(r#"{"x-amz-server-side-encryption":"aws:kms"}"#).on(OBJECT),
    call(60, "s3", "ListObjects", r#"{"list-type":"2","bucketName":"$b","prefix":"raw/events/","Host":"$b.s3.$g.amazonaws.com"}"#).read().data().on(BUCKET),
    call(25, "s3", "HeadObject", OF_OBJECT).read().data().on(OBJECT),
    call(12, "s3", "DeleteObject", OF_OBJECT).data().on(OBJECT),
    call(120, "kms", "Decrypt", r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::$b"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#).read().on(KEY),
    call(45, "kms", "GenerateDataKey", r#"{"keyId":"arn:aws:kms:$g:$a:key/5c1f7a20-94be-4f0d-8a53-1d2e6b7c9f01","keySpec":"AES_256"}"#).read().on(KEY),
    call(40, "secretsmanager", "GetSecretValue", r#"{"secretId":"$c"}"#).read(),
    call(45, "ssm", "GetParameter", r#"{"name":"/larkspur/$r/config","withDecryption":true}"#).read(),
    call(20, "ssm", "UpdateInstanceInformation", r#"{"instanceId":"$i","agentVersion":"3.3.3050.0","agentStatus":"Active","platformType":"Linux"}"#),
    call(70, "ec2", "DescribeInstances", r#"{"instancesSet":{},"filterSet":{}}"#).read(),
    call(25, "ec2", "DescribeNetworkInterfaces", r#"{"networkInterfaceIdSet":{},"filterSet":{}}"#).read(),
    call(18, "ec2", "DescribeTags", r#"{"maxResults":$n,"filterSet":{}}"#).read(),
    call(35, "ecr", "GetAuthorizationToken", "").read(),
    call(30, "ecr", "BatchGetImage", r#"{"repositoryName":"$r","imageIds":[{"imageTag":"$x"}],"registryId":"$a"}"#).read(),
    call(28, "logs", "CreateLogStream", r#"{"logGroupName":"/aws/lambda/$r","logStreamName":"$x"}"#),
    call(22, "monitoring", "DescribeAlarms", r#"{"maxRecords":100}"#).read(),
    call(20, "autoscaling", "DescribeAutoScalingGroups", r#"{"maxRecords":100}"#).read(),
    call(30, "lambda", "Invoke", r#"{"functionName":"arn:aws:lambda:$g:$a:function:$r","invocationType":"RequestResponse"}"#).data(),
    call(15, "eks", "DescribeCluster", r#"{"name":"larkspur-prod"}"#).read(),
    call(15, "rds", "DescribeDBInstances", "").read(),
    call(30, "sts", "GetCallerIdentity", "").read(),
    call(3, "ec2", "RunInstances", RUN_INSTANCES).gives(RAN_INSTANCES),
    call(3, "ec2", "TerminateInstances", r#"{"instancesSet":{"items":[{"instanceId":"$i"}]}}"#).gives(r#"{"instancesSet":{"items":[{"instanceId":"$i","currentState":{"code":32,"name":"shutting-down"},"previousState":{"code":16,"name":"running"}}]}}"#),
    call(4, "ec2", "CreateNetworkInterface", r#"{"subnetId":"$v","groupSet":{"items":[{"groupId":"$s"}]}}"#),
];

const RUN_INSTANCES: &str = r#"{"instancesSet":{"items":[{"imageId":"ami-0c2b8ca1dad447f8a","minCount":1,"maxCount":1}]},"instanceType":"m7g.large","subnetId":"$v","monitoring":{"enabled":false}}"#;
const RAN_INSTANCES: &str = r#"{"reservationId":"r-0$x","ownerId":"$a","instancesSet":{"items":[{"instanceId":"$i","imageId":"ami-0c2b8ca1dad447f8a","instanceType":"m7g.large","instanceState":{"code":0,"name":"pending"}}]}}"#;

#[rustfmt::skip]
pub const PEOPLE: &[Call] = &[
    call(120, "ec2", "DescribeInstances", r#"{"maxResults":1000,"instancesSet":{},"filterSet":{}}"#).read(),
    call(60, "ec2", "DescribeSecurityGroups", r#"{"maxResults":1000,"securityGroupSet":{},"filterSet":{}}"#).read(),
    call(40, "ec2", "DescribeVpcs", r#"{"vpcSet":{},"filterSet":{}}"#).read(),
    call(60, "s3", "ListBuckets", r#"{"Host":"s3.$g.amazonaws.com"}"#).read(),
    call(40, "s3", "GetBucketAcl", OF_BUCKET).read().on(BUCKET),
    call(70, "s3", "GetObject", OF_OBJECT).read().data().on(OBJECT),
    call(30, "s3", "PutObject", OF_OBJECT).data().on(OBJECT),
    call(45, "iam", "ListUsers", "").read(),
    call(40, "iam", "GetUser", r#"{"userName":"$u"}"#).read(),
    call(40, "iam", "ListRoles", "").read(),
    call(35, "iam", "ListAttachedRolePolicies", r#"{"roleName":"$r"}"#).read(),
    call(50, "monitoring", "DescribeAlarms", "").read(),
    call(35, "logs", "DescribeLogGroups", r#"{"limit":50}"#).read(),
    call(40, "logs", "StartQuery", r#"{"logGroupNames":["/aws/lambda/$r"],"startTime":0,"endTime":0,"queryString":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#).read(),
    call(45, "lambda", "ListFunctions20150331", "").read(),
    call(30, "rds", "DescribeDBInstances", "").read(),
    call(20, "ce", "GetCostAndUsage", r#"{"Granularity":"DAILY","Metrics":["UnblendedCost"]}"#).read(),
    call(20, "cloudtrail", "LookupEvents", r#"{"maxResults":50}"#).read(),
    call(50, "sts", "GetCallerIdentity", "").read(),
    call(18, "secretsmanager", "GetSecretValue", r#"{"secretId":"$c"}"#).read(),
    call(25, "eks", "DescribeCluster", r#"{"name":"larkspur-prod"}"#).read(),
    call(20, "ssm", "StartSession", r#"{"target":"$i"}"#).gives(r#"{"sessionId":"$u-$x","tokenValue":"Value hidden due to security reasons."}"#),
    call(30, "ec2", "CreateTags", r#"{"resourcesSet":{"items":[{"resourceId":"$i"}]},"tagSet":{"items":[{"key":"owner","value":"$u"}]}}"#).gives(r#"{"_return":true}"#),
    call(10, "ec2", "RunInstances", RUN_INSTANCES).gives(RAN_INSTANCES),
    call(8, "ec2", "StopInstances", r#"{"instancesSet":{"items":[{"instanceId":"$i"}]},"force":false}"#),
    call(8, "ec2", "StartInstances", r#"{"instancesSet":{"items":[{"instanceId":"$i"}]}}"#),
    call(7, "ec2", "TerminateInstances", r#"{"instancesSet":{"items":[{"instanceId":"$i"}]}}"#),
    call(6, "ec2", "AuthorizeSecurityGroupIngress", r#"{"groupId":"$s","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"10.0.0.0/8"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#).gives(r#"{"_return":true}"#),
    call(4, "ec2", "RevokeSecurityGroupIngress", r#"{"groupId":"$s","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"10.0.0.0/8"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#).gives(r#"{"_return":true}"#),
    call(5, "ec2", "CreateSnapshot", r#"{"volumeId":"vol-0$x$x","description":"before upgrade"}"#),
    call(2, "s3", "CreateBucket", r#"{"CreateBucketConfiguration":{"LocationConstraint":"$g"},"bucketName":"larkspur-$u-$x","Host":"s3.$g.amazonaws.com"}"#).on(r#"[{"accountId":"$a","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::larkspur-$u-$x"}]"#),
    call(1, "s3", "DeleteBucket", r#"{"bucketName":"larkspur-$u-$x","Host":"larkspur-$u-$x.s3.$g.amazonaws.com"}"#).on(r#"[{"accountId":"$a","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::larkspur-$u-$x"}]"#),
    call(3, "s3", "PutBucketLifecycle", r#"{"bucketName":"$b","Host":"$b.s3.$g.amazonaws.com","lifecycle":""}"#).on(BUCKET),
    call(3, "s3", "PutBucketPolicy", r#"{"bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::$a:role/$r"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::$b/*"}]},"bucketName":"$b","Host":"$b.s3.$g.amazonaws.com","policy":""}"#).on(BUCKET),
    call(14, "lambda", "UpdateFunctionCode20150331v2", r#"{"functionName":"$r","publish":true,"dryRun":false}"#).gives(r#"{"functionName":"$r","runtime":"python3.13","lastUpdateStatus":"InProgress"}"#),
    call(3, "iam", "CreateRole", r#"{"roleName":"$r-$x","path":"/","assumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"}"#),
    call(4, "iam", "AttachRolePolicy", r#"{"roleName":"$r","policyArn":"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}"#),
    call(3, "iam", "CreatePolicyVersion", r#"{"policyArn":"arn:aws:iam::$a:policy/$r","setAsDefault":true}"#),
    call(2, "iam", "CreateAccessKey", r#"{"userName":"$u"}"#).gives(r#"{"accessKey":{"userName":"$u","accessKeyId":"AKIA$e","status":"Active"}}"#),
    call(2, "iam", "DeleteAccessKey", r#"{"userName":"$u","accessKeyId":"AKIA$e"}"#),
    call(1, "iam", "CreateUser", r#"{"path":"/","userName":"svc-$r"}"#).gives(r#"{"user":{"path":"/","userName":"svc-$r","userId":"AIDA$e","arn":"arn:aws:iam::$a:user/svc-$r"}}"#),
    call(4, "rds", "ModifyDBInstance", r#"{"dBInstanceIdentifier":"larkspur-orders","applyImmediately":false,"allocatedStorage":$n}"#),
];
