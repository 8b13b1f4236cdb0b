//! Kubernetes API server audit log (`audit.k8s.io/v1`), one event a line.

use super::Scene;
use crate::org::ip;
use crate::out::Out;
use crate::rhythm::hour_of_week;
use crate::rng::{Rng, mix};

pub const HUMAN: u64 = 15;
const KUBECTL: &str = "kubectl/v1.34.1 (darwin/arm64) kubernetes/93248f9";

pub struct Event<'a> {
    pub at: i64,
    pub verb: &'a str,
    pub user: &'a str,
    /// JSON strings, comma-separated.
    pub groups: &'a str,
    pub ip: u32,
    pub agent: &'a str,
    pub api_group: &'a str,
    pub version: &'a str,
    pub resource: &'a str,
    pub subresource: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
    /// After the path, with its `?`.
    pub query: &'a str,
    pub code: u64,
    pub reason: &'a str,
    /// JSON; empty for none.
    pub request: &'a str,
}

/// Who does what, as a machine does it over and over.
struct Habit {
    weight: u64,
    user: &'static str,
    agent: &'static str,
    verb: &'static str,
    api_group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    namespace: &'static str,
    name: &'static str,
}

#[allow(clippy::too_many_arguments)]
const fn habit(
    weight: u64,
    user: &'static str,
    agent: &'static str,
    verb: &'static str,
    api_group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    namespace: &'static str,
    name: &'static str,
) -> Habit {
    Habit { weight, user, agent, verb, api_group, resource, subresource, namespace, name }
}

const NODE: &str = "system:node:ip-10-20-4-1$.ec2.internal";
const KUBELET: &str = "kubelet/v1.34.1 (linux/arm64) kubernetes/93248f9";

#[rustfmt::skip]
const HABITS: &[Habit] = &[
    habit(200, NODE, KUBELET, "update", "coordination.k8s.io", "leases", "", "kube-node-lease", "ip-10-20-4-1$.ec2.internal"),
    habit(140, NODE, KUBELET, "patch", "", "nodes", "status", "", "ip-10-20-4-1$.ec2.internal"),
    habit(60, NODE, KUBELET, "get", "", "pods", "", "payments", "payments-api-6f7c9d5b8-$p"),
    habit(40, NODE, KUBELET, "patch", "", "pods", "status", "web", "web-app-5c8d7f94b-$p"),
    habit(150, "system:kube-controller-manager", "kube-controller-manager/v1.34.1 (linux/arm64) kubernetes/93248f9/leader-election", "update", "coordination.k8s.io", "leases", "", "kube-system", "kube-controller-manager"),
    habit(120, "system:kube-scheduler", "kube-scheduler/v1.34.1 (linux/arm64) kubernetes/93248f9/leader-election", "update", "coordination.k8s.io", "leases", "", "kube-system", "kube-scheduler"),
    habit(70, "system:serviceaccount:kube-system:coredns", "coredns/v1.12.4", "watch", "discovery.k8s.io", "endpointslices", "", "", ""),
    habit(60, "system:serviceaccount:monitoring:prometheus", "Prometheus/3.7.1", "list", "", "pods", "", "", ""),
    habit(40, "system:serviceaccount:argocd:argocd-application-controller", "argocd-application-controller/v3.1.9", "list", "apps", "deployments", "", "", ""),
    habit(20, "system:serviceaccount:argocd:argocd-application-controller", "argocd-application-controller/v3.1.9", "patch", "apps", "deployments", "", "web", "web-app"),
    habit(40, "system:serviceaccount:cert-manager:cert-manager", "cert-manager-controller/v1.19.1", "get", "", "secrets", "", "web", "web-app-tls"),
    habit(30, "system:serviceaccount:ci:runner", "actions-runner-controller/v0.12.1", "create", "", "pods", "", "ci", "runner-$p"),
    habit(20, "system:serviceaccount:ci:runner", "actions-runner-controller/v0.12.1", "delete", "", "pods", "", "ci", "runner-$p"),
    habit(10, "system:serviceaccount:kube-system:horizontal-pod-autoscaler", "kube-controller-manager/v1.34.1", "update", "apps", "deployments", "scale", "web", "web-app"),
];
const HABITS_WEIGHT: u64 = 1000;

/// verb, group, resource, subresource, named
const BY_HAND: &[(&str, &str, &str, &str, bool)] = &[
    ("list", "", "pods", "", false),
    ("list", "", "pods", "", false),
    ("get", "", "pods", "", true),
    ("get", "", "pods", "log", true),
    ("list", "apps", "deployments", "", false),
    ("get", "apps", "deployments", "", true),
    ("list", "", "events", "", false),
    ("list", "", "services", "", false),
    ("list", "", "configmaps", "", false),
    ("patch", "apps", "deployments", "", true),
    ("delete", "", "pods", "", true),
    ("create", "", "pods", "portforward", true),
];
const NAMESPACES: &[&str] = &["web", "payments", "data", "search", "staging", "monitoring"];
const WORKLOADS: &[&str] = &["web-app", "payments-api", "ingest-worker", "search-api", "notifications", "edge-proxy"];
const IN_CLUSTER: &str = r#""system:serviceaccounts","system:authenticated""#;

pub fn write(scene: &Scene, rng: &mut Rng, at: i64, out: &mut Out) {
    let pod = rng.below(40);
    if scene.by_a_person(rng, at, HUMAN) {
        return by_hand(scene, rng, at, pod, out);
    }
    let habit = rng.weighted(HABITS, HABITS_WEIGHT, |habit| habit.weight);
    let node = 1 + rng.below(6);
    let fill = |text: &str| text.replace("$p", &pod_suffix(pod)).replace('$', &node.to_string());
    let (user, name) = (fill(habit.user), fill(habit.name));
    let conflict = habit.verb == "update" && rng.chance(60);
    emit(
        &Event {
            at,
            verb: habit.verb,
            user: &user,
            groups: if habit.user == NODE { r#""system:nodes","system:authenticated""# } else { IN_CLUSTER },
            ip: ip(10, 20, 4, 10 + node as u8),
            agent: habit.agent,
            api_group: habit.api_group,
            version: "v1",
            resource: habit.resource,
            subresource: habit.subresource,
            namespace: habit.namespace,
            name: &name,
            query: if habit.verb == "watch" { "?watch=true&allowWatchBookmarks=true" } else { "" },
            code: if conflict {
                409
            } else if habit.verb == "create" {
                201
            } else {
                200
            },
            reason: if conflict { "Conflict" } else { "" },
            request: "",
        },
        rng,
        out,
    );
}

fn by_hand(scene: &Scene, rng: &mut Rng, at: i64, pod: u64, out: &mut Out) {
    let person = scene.org.at_work(rng, &scene.org.engineers, hour_of_week(at));
    let (verb, api_group, resource, subresource, named) = *rng.pick(BY_HAND);
    let name = if named { format!("{}-6f7c9d5b8-{}", rng.word(WORKLOADS), pod_suffix(pod)) } else { String::new() };
    let refused = rng.chance(if verb == "delete" { 1500 } else { 120 });
    emit(
        &Event {
            at,
            verb,
            user: &person.email,
            groups: r#""larkspur:engineering","system:authenticated""#,
            ip: person.ip(at),
            agent: KUBECTL,
            api_group,
            version: "v1",
            resource,
            subresource,
            namespace: rng.word(NAMESPACES),
            name: &name,
            query: if verb == "list" { "?limit=500" } else { "" },
            code: if refused { 403 } else { 200 },
            reason: if refused { "Forbidden" } else { "" },
            request: "",
        },
        rng,
        out,
    );
}

fn pod_suffix(pod: u64) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..5).map(|place| char::from(LETTERS[(mix(pod * 8 + place) % LETTERS.len() as u64) as usize])).collect()
}

pub fn emit(event: &Event, rng: &mut Rng, out: &mut Out) {
    let level = if event.request.is_empty() { "Metadata" } else { "Request" };
    out.s(r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":""#).s(level).s(r#"","auditID":""#).uuid(rng);
    out.s(r#"","stage":"ResponseComplete","requestURI":""#);
    uri(event, out);
    out.s(r#"","verb":""#).s(event.verb).s(r#"","user":{"username":""#).s(event.user).s(r#"","uid":""#);
    out.hex(event.user.bytes().fold(3, |key, byte| mix(key ^ u64::from(byte))), 16)
        .s(r#"","groups":["#)
        .s(event.groups);
    out.s(r#"]},"sourceIPs":[""#)
        .ip(event.ip)
        .s(r#""],"userAgent":""#)
        .s(event.agent)
        .s(r#"","objectRef":{"resource":""#);
    out.s(event.resource).s("\"");
    let members = [
        ("namespace", event.namespace),
        ("name", event.name),
        ("apiGroup", event.api_group),
        ("apiVersion", event.version),
        ("subresource", event.subresource),
    ];
    for (member, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
        out.s(",\"").s(member).s("\":\"").s(value).s("\"");
    }
    out.s(r#"},"responseStatus":{"metadata":{},"#);
    if !event.reason.is_empty() {
        out.s(r#""status":"Failure","reason":""#).s(event.reason).s(r#"","#);
    }
    out.s(r#""code":"#).n(event.code).s("}");
    if !event.request.is_empty() {
        out.s(r#","requestObject":"#).s(event.request);
    }
    let decision = if event.code == 403 { "forbid" } else { "allow" };
    out.s(r#","requestReceivedTimestamp":""#)
        .micros(event.at)
        .s(r#"","stageTimestamp":""#)
        .micros(event.at + rng.range(800, 9000) as i64);
    out.s(r#"","annotations":{"authorization.k8s.io/decision":""#)
        .s(decision)
        .s(r#"","authorization.k8s.io/reason":""}}"#);
}

fn uri(event: &Event, out: &mut Out) {
    if event.api_group.is_empty() {
        out.s("/api/").s(event.version);
    } else {
        out.s("/apis/").s(event.api_group).s("/").s(event.version);
    }
    if !event.namespace.is_empty() {
        out.s("/namespaces/").s(event.namespace);
    }
    out.s("/").s(event.resource);
    for part in [event.name, event.subresource] {
        if !part.is_empty() {
            out.s("/").s(part);
        }
    }
    out.s(event.query);
}
