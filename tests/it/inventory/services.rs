//! How service accounts prove who they are, and where their keys go.

use std::path::Path;

use insta::assert_snapshot;
use reconcile::inventory::{ServiceIdentity, against_operator};
use reconcile::model::{Federation, Forge, GitRef, KeyRotation};

use super::{as_shown, codes, loaded, shown, tree};
use crate::peers::operator;

const SINKS: &str = "\
sinks:
  files: {description: A file for each}
  one: {description: One file for all}
  named: {description: A file for each service}
";

/// A file with one service account.
fn service(identity: &str) -> String {
    format!(
        "service_accounts:\n  ci: {{owners: admins, role: reader, accounts: [hub], reason: r, {identity}}}\n"
    )
}

/// The identity that is made of it, which has no finding.
fn identity(identity: &str) -> ServiceIdentity {
    let loaded = loaded(&[("inventory/x.yaml", &service(identity)), ("policies/x.yaml", SINKS)]);
    assert_eq!(loaded.findings, [], "{identity}");
    loaded.inventory.service_accounts["ci"].identity.clone()
}

/// The codes of what is wrong with it.
fn wrong(identity: &str) -> Vec<String> {
    codes(&[("inventory/x.yaml", &service(identity)), ("policies/x.yaml", SINKS)])
}

#[test]
fn what_is_not_written_has_good_defaults() {
    assert_eq!(identity("project: debian"), ServiceIdentity::User);
    let key = |after_days, overlap_days| {
        let sink = "files".into();
        ServiceIdentity::Key(KeyRotation { after_days, overlap_days, sink })
    };
    assert_eq!(identity("key: {sink: files}"), key(90, 7));
    assert_eq!(identity("key: {sink: files, rotate_days: 3}"), key(3, 2));
    assert_eq!(identity("key: {sink: files, rotate_days: 3, overlap_days: 0}"), key(3, 0));
    let job = Federation {
        forge: Forge::Gitlab,
        issuer: "https://gitlab.com".to_owned(),
        project: "group/sub/project".to_owned(),
        git_ref: None,
        protected: true,
        networks: [].into(),
        session_hours: None,
    };
    assert_eq!(
        identity("forge: {kind: gitlab, project: group/sub/project, protected: true}"),
        ServiceIdentity::Forge(job.clone())
    );
    let job = Federation {
        forge: Forge::Github,
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        project: "owner/repository".to_owned(),
        git_ref: Some(GitRef::Branch("main".to_owned())),
        protected: false,
        ..job
    };
    assert_eq!(
        identity("forge: {kind: github, project: owner/repository, branch: main}"),
        ServiceIdentity::Forge(job)
    );
}

#[test]
fn everything_can_be_written() {
    let job = Federation {
        forge: Forge::Gitlab,
        issuer: "https://salsa.example.org:8443/gitlab".to_owned(),
        project: "group/project".to_owned(),
        git_ref: Some(GitRef::Tag("v*".to_owned())),
        protected: true,
        networks: ["192.0.2.0/24".to_owned(), "2001:db8::/32".to_owned()].into(),
        session_hours: Some(12),
    };
    let written = "forge: {kind: gitlab, issuer: 'https://salsa.example.org:8443/gitlab', project: group/project, tag: 'v*', protected: true, networks: [192.0.2.0/24, '2001:DB8::/32'], session_hours: 12}";
    assert_eq!(identity(written), ServiceIdentity::Forge(job));
    let production =
        identity("forge: {kind: github, project: a/b, environment: production, protected: true}");
    let ServiceIdentity::Forge(job) = production else { panic!("{production:?}") };
    assert_eq!(job.git_ref, Some(GitRef::Environment("production".to_owned())));
}

#[test]
fn everything_wrong_with_jobs_of_a_forge_is_found_where_it_is() {
    let mut services = "service_accounts:\n".to_owned();
    let all = [
        "kind: gitea, project: a/b, branch: main",
        "project: a/b, branch: main",
        "kind: gitlab, branch: main",
        "kind: gitlab, project: a/b, issuer: 'http://gitlab.example.org', branch: main",
        "kind: gitlab, project: a/b, issuer: 'https://gitlab.example.org/', branch: main",
        "kind: gitlab, project: a/b, issuer: 'https://me@gitlab.example.org', branch: main",
        "kind: gitlab, project: a, branch: main",
        "kind: github, project: a/b/c, branch: main",
        "kind: gitlab, project: 'a/*', branch: main",
        "kind: gitlab, project: a/b, branch: main, tag: v1",
        "kind: github, project: a/b, branch: main, protected: true",
        "kind: gitlab, project: a/b, branch: '*'",
        "kind: gitlab, project: a/b",
        "kind: gitlab, project: a/b, branch: 'main:ref_type:tag'",
        "kind: gitlab, project: a/b, environment: 'prod*'",
        "kind: gitlab, project: a/b, branch: main, networks: [192.0.2.1/24, 192.0.2.0, 0.0.0.0/0, 192.0.2.0/24, 192.0.2.0/24]",
        "kind: gitlab, project: a/b, branch: main, session_hours: 13",
        "kind: gitlab, project: a/b, branch: main, session_hours: 0",
        "kind: gitlab, project: a/b, branch: main, token: planted",
    ];
    for (forge, number) in all.iter().zip(1..) {
        let written = format!("accounts: [hub], reason: r, forge: {{{forge}}}");
        let line = format!("  s{number}: {{owners: admins, role: reader, {written}}}\n");
        services.push_str(&line);
    }
    assert_snapshot!(shown(&[("inventory/x.yaml", &services)]));
}

#[test]
fn issuers_projects_and_refs_of_a_wrong_shape() {
    let issuer = |text: &str| {
        wrong(&format!("forge: {{kind: gitlab, project: a/b, branch: main, issuer: '{text}'}}"))
    };
    for good in ["https://x", "https://a.b-c.d1", "https://x:1", "https://x/a.b/C_d-e"] {
        assert_eq!(issuer(good), [""; 0], "{good}");
    }
    for bad in [
        "",
        "x",
        "https://",
        "https:///",
        "https://x/",
        "https://X",
        "https://x//a",
        "https://x/../a",
        "https://x?a",
        "https://x#a",
        "https://x:0",
        "https://x:y",
        "https://x y",
        "https://.x",
        "https://x..y",
        "HTTPS://x",
        "https://x/%2e",
    ] {
        assert_eq!(issuer(bad), ["issuer"], "{bad}");
    }
    let project =
        |text: &str| wrong(&format!("forge: {{kind: gitlab, branch: main, project: '{text}'}}"));
    for (bad, code) in [
        ("a", "forge-project"),
        ("/a/b", "forge-project"),
        ("a/b/", "forge-project"),
        ("a/../b", "forge-project"),
        ("a/b:ref", "forge-project"),
        ("a b/c", "forge-project"),
        ("*", "any-project"),
        ("*/*", "any-project"),
        ("a/b*", "any-project"),
        ("a/b?", "any-project"),
    ] {
        assert_eq!(project(bad), [code], "{bad}");
    }
    let project =
        |text: &str| wrong(&format!("forge: {{kind: github, branch: main, project: '{text}'}}"));
    for good in ["octocat/my-repo", "octocat@123456/my-repo@456789"] {
        assert_eq!(project(good), [""; 0], "{good}");
    }
    for bad in ["a/b/c", "a@/b@1", "a@1x/b@2", "@1/@2", "a@1@2/b@3"] {
        assert_eq!(project(bad), ["forge-project"], "{bad}");
    }
    let reference = |text: &str| wrong(&format!("forge: {{kind: gitlab, project: a/b, {text}}}"));
    for (text, codes) in [
        ("branch: 'release/*'", &[][..]),
        ("branch: '**'", &["any-ref"]),
        ("tag: '*'", &["any-ref"]),
        ("tag: '*', protected: true", &[]),
        ("branch: ''", &["git-ref"]),
        ("branch: 'a b'", &["git-ref"]),
        ("branch: 'a?'", &["git-ref"]),
        ("tag: 'a:b'", &["git-ref"]),
        ("environment: production", &[]),
    ] {
        assert_eq!(reference(text), codes, "{text}");
    }
}

#[test]
fn keys_that_cannot_be() {
    for (identity, expected) in [
        ("key: {}", &["missing-key"][..]),
        ("key: {sink: filez}", &["unknown-sink"]),
        ("key: {sink: files, rotate_days: 0}", &["zero"]),
        ("key: {sink: files, rotate_days: 7, overlap_days: 7}", &["overlap"]),
        ("key: {sink: files, rotate_days: 8, overlap_days: 7}", &[]),
        ("key: {sink: files, overlap_days: 90}", &["overlap"]),
        ("key: {sink: files}, forge: {kind: gitlab, project: a/b, branch: c}", &["two-identities"]),
    ] {
        assert_eq!(wrong(identity), expected, "{identity}");
    }
}

#[test]
fn identities_that_a_vendor_does_not_know_and_keys_that_would_be_lost() {
    let services = "\
organisations:
  o:
    administrators: {group: admins}
    accounts:
      users: {vendor: other, access: users, id: 000000000031}
      vouched: {vendor: other, access: vouched, id: 000000000032}
      memory: {vendor: memory, id: 000000000033}
service_accounts:
  forge: {owners: admins, role: both, accounts: [hub, users], reason: r, forge: {kind: gitlab, project: a/b, branch: c}}
  key: {owners: admins, role: both, accounts: [users], reason: r, key: {sink: files}}
  user: {owners: admins, role: both, accounts: [vouched], reason: r}
  first: {owners: admins, role: both, accounts: [hub], reason: r, key: {sink: one}}
  second: {owners: admins, role: both, accounts: [hub, mirror], reason: r, key: {sink: one}}
  third: {owners: admins, role: both, accounts: [hub, memory], reason: r, key: {sink: named}}
  fourth: {owners: admins, role: both, accounts: [hub, memory], reason: r, key: {sink: files}}
";
    let policies = "\
roles:
  both: {description: d, means: {memory: {permissions: [a]}, other: {permissions: [a]}}}
";
    let changes =
        [("inventory/x.yaml", services), ("policies/x.yaml", SINKS), ("policies/y.yaml", policies)];
    let loaded = loaded(&changes);
    let operator = "\
sinks:
  files: {file: 'keys/{account}-{service}', organisations: [spi, o]}
  one: {file: /var/lib/keys/one, services: [first, second]}
  named: {file: 'keys/{service}', services: [third]}
";
    let operator = operator::of(operator, Path::new("/etc/reconcile"));
    let mut findings = loaded.findings.clone();
    findings.extend(against_operator::findings(&loaded.inventory, &operator));
    assert_snapshot!(as_shown(&findings, &tree(&changes)));
}

#[test]
fn everything_wrong_with_sinks_is_found_where_it_is() {
    assert_snapshot!(shown(&[(
        "policies/x.yaml",
        "\
sinks:
  nothing: {}
  empty: {description: ' '}
  file: {file: {path: '.keys/{service}'}}
  outside: {file: {path: ../a}}
  command: {command: [sh, -c, 'cat > planted']}
  store: {secret_store: {url: 'https://v:8200', mount: kv, path: 'ci/{service}', token_file: .secrets/t, ca_file: ca.pem}}
  variable: {secret_store: {url: 'https://me:planted@v', path: a, token_environment: T}}
  two: {description: d, file: {path: a}, command: [b]}
  Upper: {description: d}
  typo: {descripton: d}
"
    )]));
}

#[test]
fn sinks_that_are_good() {
    let loaded = loaded(&[("policies/x.yaml", SINKS)]);
    assert_eq!(loaded.findings, []);
    assert_eq!(loaded.policies.sinks.len(), 3);
}

#[test]
fn role_objects_of_one_name() {
    assert_snapshot!(shown(&[
        (
            "inventory/x.yaml",
            "\
grants:
  - {group: admins, role: reader-ci, accounts: [hub], reason: r}
  - {group: readers, role: reader-ci, accounts: [hub], reason: r}
service_accounts:
  ci: {owners: admins, role: reader, accounts: [hub, mirror], reason: r, forge: {kind: gitlab, project: a/b, protected: true}}
"
        ),
        (
            "policies/x.yaml",
            "roles:\n  reader-ci: {description: d, means: {memory: {permissions: [read]}}}\n"
        ),
    ]));
}
