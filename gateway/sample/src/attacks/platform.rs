//! Source code and the cluster.

use super::{Attack, Planter, STOLEN_SESSION};
use crate::org::{REPOS, ip};
use crate::sources::{github, kubernetes};

pub const GITHUB_LEAK: Attack = Attack {
    title: "Source code is taken and a repository made public",
    when: "100 hours to 99 hours before the end",
    tables: &["github"],
    actor: "omar-keller",
    address: "192.0.2.214 (BR)",
    what: "A clone of every repository within ten minutes, a deploy key for billing-engine, its secret scanning and branch protection off, and then: public.",
    sql: "SELECT time, actor_name, action, target_name, src_ip FROM github\nWHERE action IN ('repo.access', 'public_key.create', 'repository_secret_scanning.disable', 'protected_branch.destroy')\nORDER BY time",
    question: Some("repos made public"),
    plant: github_leak,
};

fn github_leak(planter: &mut Planter) {
    let clone = github::Event {
        at: 0,
        action: "git.clone",
        actor: "omar-keller",
        ip: STOLEN_SESSION,
        agent: "git/2.39.5",
        operation: "access",
        repo: None,
        more: r#","transport_protocol":1,"transport_protocol_name":"http""#,
    };
    for (index, repo) in REPOS.iter().enumerate() {
        let at = planter.spread(100 * 60, 99 * 60 + 50, index as u64, REPOS.len() as u64);
        planter.github(&github::Event { at, repo: Some(repo), ..clone });
    }
    const STEPS: &[(i64, &str, &str, &str)] = &[
        (99 * 60 + 30, "public_key.create", "create", r#","title":"sync","read_only":"false""#),
        (99 * 60 + 20, "repository_secret_scanning.disable", "modify", ""),
        (99 * 60 + 15, "protected_branch.destroy", "remove", r#","name":"main""#),
        (99 * 60, "repo.access", "modify", r#","visibility":"public","previous_visibility":"private""#),
    ];
    for (minutes, action, operation, more) in STEPS {
        let at = planter.before(*minutes);
        planter.github(&github::Event { at, action, operation, more, repo: Some("billing-engine"), ..clone });
    }
}

pub const KUBERNETES_SECRETS: Attack = Attack {
    title: "A service account turns on its cluster",
    when: "70 hours to 69 hours before the end",
    tables: &["kubernetes"],
    actor: "system:serviceaccount:ci:runner",
    address: "10.20.4.16 (inside)",
    what: "Lists secrets in every namespace (kube-system refuses), execs into three pods of payments, and binds itself to cluster-admin.",
    sql: "SELECT time, raw ->> 'verb' AS verb, raw #>> '{objectRef,resource}' AS resource,\n       raw #>> '{objectRef,namespace}' AS namespace, raw #>> '{responseStatus,code}' AS code FROM kubernetes\nWHERE actor_name = 'system:serviceaccount:ci:runner'\n  AND (raw #>> '{objectRef,resource}' IN ('secrets', 'clusterrolebindings') OR raw #>> '{objectRef,subresource}' = 'exec')\nORDER BY time",
    question: Some("kubectl exec into pods"),
    plant: kubernetes_secrets,
};

const RUNNER: &str = "system:serviceaccount:ci:runner";

fn kubernetes_secrets(planter: &mut Planter) {
    let base = kubernetes::Event {
        at: 0,
        verb: "list",
        user: RUNNER,
        groups: r#""system:serviceaccounts","system:serviceaccounts:ci","system:authenticated""#,
        ip: ip(10, 20, 4, 16),
        agent: "kubectl/v1.33.4 (linux/amd64) kubernetes/a0af7c6",
        api_group: "",
        version: "v1",
        resource: "secrets",
        subresource: "",
        namespace: "",
        name: "",
        query: "?limit=500",
        code: 200,
        reason: "",
        request: "",
    };
    for (index, namespace) in
        ["kube-system", "ci", "web", "payments", "data", "search", "staging", "monitoring"].iter().enumerate()
    {
        let at = planter.before(70 * 60 - index as i64);
        let (code, reason) = if index == 0 { (403, "Forbidden") } else { (200, "") };
        planter.kubernetes(&kubernetes::Event { at, namespace, code, reason, ..base });
    }
    for (index, pod) in ["payments-api-6f7c9d5b8-x2k4q", "payments-api-6f7c9d5b8-m9v7t", "payments-worker-7b5d-c6h8z"]
        .iter()
        .enumerate()
    {
        let at = planter.before(69 * 60 + 40 - index as i64 * 3);
        planter.kubernetes(&kubernetes::Event {
            at,
            verb: "create",
            resource: "pods",
            subresource: "exec",
            namespace: "payments",
            name: pod,
            query: "?command=sh&command=-c&command=env&container=app&stdin=true&stdout=true&tty=true",
            code: 101,
            ..base
        });
    }
    let request = r#"{"kind":"ClusterRoleBinding","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"ci-runner-admin"},"subjects":[{"kind":"ServiceAccount","name":"runner","namespace":"ci"}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"}}"#;
    let at = planter.before(69 * 60);
    planter.kubernetes(&kubernetes::Event {
        at,
        verb: "create",
        api_group: "rbac.authorization.k8s.io",
        resource: "clusterrolebindings",
        name: "ci-runner-admin",
        query: "",
        code: 201,
        request,
        ..base
    });
}
