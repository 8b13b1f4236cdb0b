#![allow(clippy::unwrap_used)]

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mantissa_core::{Ceilings, ErrorKind, Grant, Problem, Secret, UserName};
use mantissa_store::{
    LockoutPolicy, NewUser, Role, RoleCeilings, ScramVerifier, SqliteStore, Store, StoreError, StoreOptions,
};

async fn store() -> SqliteStore {
    SqliteStore::in_memory(StoreOptions::default()).await.unwrap()
}

fn user(name: &str, password: Option<&str>, roles: &[&str]) -> NewUser {
    NewUser {
        name: UserName::new(name),
        password: password.map(Secret::new),
        roles: roles.iter().map(|role| role.to_string()).collect(),
    }
}

fn analyst() -> Role {
    Role {
        name: "analyst".into(),
        admin: false,
        grants: vec![
            Grant { table: "okta".into(), columns: None },
            Grant { table: "github".into(), columns: Some(vec!["time".into(), "action".into()]) },
        ],
        ceilings: RoleCeilings {
            max_rows: Some(50_000),
            statement_timeout: Some(Duration::from_millis(1500)),
            max_usd_per_day: Some(0.5),
            ..RoleCeilings::default()
        },
    }
}

#[tokio::test]
async fn built_in_roles_stand_in_a_new_store_and_cannot_be_changed() {
    let store = store().await;
    let roles = store.list_roles().await.unwrap();
    assert_eq!(
        roles.iter().map(|role| (&*role.name, role.admin)).collect::<Vec<_>>(),
        [("admin", true), ("reader", false)]
    );
    assert_eq!(roles[1].grants, [Grant { table: "*".into(), columns: None }]);
    assert!(matches!(store.update_role(&roles[1]).await, Err(StoreError::BuiltInRole(_))));
    assert!(matches!(store.remove_role("admin").await, Err(StoreError::BuiltInRole(_))));
}

#[tokio::test]
async fn an_identity_is_the_union_of_its_roles() {
    let store = store().await;
    store.add_role(&analyst()).await.unwrap();
    assert_eq!(store.list_roles().await.unwrap()[1], analyst());
    store.add_user(user("ann", None, &["analyst"])).await.unwrap();
    let ann = UserName::new("ann");
    let narrow = store.identity(&ann).await.unwrap().unwrap();
    assert_eq!(narrow.grants, analyst().grants);
    assert_eq!(narrow.ceilings.statement_timeout, Duration::from_millis(1500));
    assert_eq!(narrow.ceilings.ask_rows, Ceilings::default().ask_rows);

    store.set_roles(&ann, &["analyst".into(), "admin".into(), "admin".into()]).await.unwrap();
    let wide = store.identity(&ann).await.unwrap().unwrap();
    assert!(wide.admin);
    assert_eq!(wide.grants.len(), 3);
    assert_eq!(wide.ceilings.max_rows, 50_000);
    assert_eq!(wide.ceilings.statement_timeout, Ceilings::default().statement_timeout);
    assert_eq!(wide.ceilings.max_usd_per_day, Ceilings::default().max_usd_per_day);
}

#[tokio::test]
async fn a_password_becomes_a_verifier_and_is_never_kept() {
    let store = store().await;
    store.add_user(user("ann", Some("correct horse"), &["reader"])).await.unwrap();
    let ann = UserName::new("ann");
    let verifier = store.verifier(&ann).await.unwrap().unwrap();
    assert!(verifier.accepts("correct horse"));
    assert!(!verifier.accepts("correct  horse"));
    store.set_password(&ann, &Secret::new("battery staple")).await.unwrap();
    assert!(store.verifier(&ann).await.unwrap().unwrap().accepts("battery staple"));

    let from_postgres = ScramVerifier::new("elsewhere");
    store.set_password(&ann, &Secret::new(from_postgres.to_string())).await.unwrap();
    assert_eq!(store.verifier(&ann).await.unwrap(), Some(from_postgres));
    assert!(matches!(store.set_password(&ann, &Secret::new("")).await, Err(StoreError::EmptyPassword)));
}

#[tokio::test]
async fn a_disabled_user_is_nobody() {
    let store = store().await;
    store.add_user(user("ann", Some("x"), &["reader"])).await.unwrap();
    let ann = UserName::new("ann");
    store.set_disabled(&ann, true).await.unwrap();
    assert_eq!(store.identity(&ann).await.unwrap(), None);
    assert_eq!(store.verifier(&ann).await.unwrap(), None);
    assert!(store.user(&ann).await.unwrap().unwrap().disabled);
    store.set_disabled(&ann, false).await.unwrap();
    assert!(store.identity(&ann).await.unwrap().is_some());
}

#[tokio::test]
async fn wrong_names_are_named_errors_and_change_nothing() {
    let store = store().await;
    let ghost = UserName::new("ghost");
    store.add_user(user("ann", None, &["reader"])).await.unwrap();
    assert!(matches!(store.add_user(user("ann", None, &[])).await, Err(StoreError::DuplicateUser(_))));
    assert!(matches!(store.add_user(user("bob", None, &["nope"])).await, Err(StoreError::UnknownRole(_))));
    assert_eq!(store.user(&UserName::new("bob")).await.unwrap(), None);
    for name in ["", "a\0b", "line\nbreak", &"x".repeat(64)] {
        assert!(matches!(store.add_user(user(name, None, &[])).await, Err(StoreError::InvalidName(_))), "{name:?}");
    }
    assert!(matches!(store.remove_user(&ghost).await, Err(StoreError::UnknownUser(_))));
    assert!(matches!(store.set_roles(&ghost, &[]).await, Err(StoreError::UnknownUser(_))));
    assert!(matches!(store.set_disabled(&ghost, true).await, Err(StoreError::UnknownUser(_))));
    store.add_role(&analyst()).await.unwrap();
    assert!(matches!(store.add_role(&analyst()).await, Err(StoreError::DuplicateRole(_))));
    store.set_roles(&UserName::new("ann"), &["analyst".into()]).await.unwrap();
    assert!(matches!(store.remove_role("analyst").await, Err(StoreError::RoleInUse { holders: 1, .. })));
    store.remove_user(&UserName::new("ann")).await.unwrap();
    store.remove_role("analyst").await.unwrap();
    let bad = Role { ceilings: RoleCeilings { max_usd_per_day: Some(f64::NAN), ..Default::default() }, ..analyst() };
    assert!(matches!(store.add_role(&bad).await, Err(StoreError::InvalidCeiling("max_usd_per_day"))));
}

#[tokio::test]
async fn failed_passwords_lock_out_until_the_window_has_passed() {
    let store = store().await;
    let ann = UserName::new("ann");
    let policy = LockoutPolicy { max_failures: 3, window: Duration::from_secs(60) };
    let start: DateTime<Utc> = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    for second in 0..3 {
        assert_eq!(store.locked_until(&ann, start + TimeDelta::seconds(second), policy).await.unwrap(), None);
        store.record_failed_login(&ann, start + TimeDelta::seconds(second)).await.unwrap();
    }
    let now = start + TimeDelta::seconds(3);
    assert_eq!(store.locked_until(&ann, now, policy).await.unwrap(), Some(start + TimeDelta::seconds(60)));
    assert_eq!(store.locked_until(&UserName::new("bob"), now, policy).await.unwrap(), None);
    assert_eq!(store.locked_until(&ann, start + TimeDelta::seconds(60), policy).await.unwrap(), None);
    store.clear_failed_logins(&ann).await.unwrap();
    assert_eq!(store.locked_until(&ann, now, policy).await.unwrap(), None);
}

#[tokio::test]
async fn reservations_count_until_settled_and_stop_at_the_ceiling() {
    let store = store().await;
    let ann = UserName::new("ann");
    let day = NaiveDate::from_ymd_opt(2026, 11, 18).unwrap();
    let first = store.reserve(&ann, day, 0.75, 1.0).await.unwrap();
    assert_eq!(store.spend(&ann, day).await.unwrap(), 0.75);
    let refused = store.reserve(&ann, day, 0.5, 1.0).await.unwrap_err();
    let problem = Problem::from(refused);
    assert_eq!(problem.kind, ErrorKind::CostLimitExceeded);
    assert!(problem.hint.is_some() && problem.detail.is_some());
    store.settle(first, 0.25).await.unwrap();
    assert_eq!(store.spend(&ann, day).await.unwrap(), 0.25);
    let second = store.reserve(&ann, day, 0.5, 1.0).await.unwrap();
    store.settle(second, 0.5).await.unwrap();
    let free = store.reserve(&ann, day, 0.0, 0.0).await.unwrap();
    store.settle(free, 0.0).await.unwrap();
    assert_eq!(store.spend(&ann, day).await.unwrap(), 0.75);
    assert_eq!(store.spend(&ann, day.succ_opt().unwrap()).await.unwrap(), 0.0);
}

#[tokio::test]
async fn reservations_at_once_never_pass_the_ceiling_together() {
    let store = store().await;
    let day = NaiveDate::from_ymd_opt(2026, 11, 18).unwrap();
    let ann = UserName::new("ann");
    let asked = futures::future::join_all((0..16).map(|_| store.reserve(&ann, day, 0.25, 1.0))).await;
    assert_eq!(asked.iter().filter(|result| result.is_ok()).count(), 4);
    assert_eq!(store.spend(&ann, day).await.unwrap(), 1.0);
}
