//! kill -9 after each write: a rerun brings everything where it belongs.

use super::site::{AwsSite, BUILDS, HUB};
use crate::peers::wire::{Fault, Place};

const INVENTORY: &str = r#"
organisations:
  spi:
    accounts:
      spi-hub: {vendor: aws, id: "111111111111", hub: true}
      debian-builds: {vendor: aws, id: "333333333333"}
directories:
  debian: {ldap: {url: "URL", start_tls: false}, schema: userdir, base: "dc=example,dc=org"}
grants:
  - {group: build, role: operator, accounts: [debian-builds], reason: They build}
"#;

const POLICIES: &str = r#"
roles:
  operator:
    description: Runs instances
    means:
      aws:
        inline_policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'
privileged_needs_key: false
limits: {default: {users: {floor: 3}, memberships: {floor: 9}}}
"#;

#[test]
fn a_kill_after_any_write_is_mended_by_a_rerun() {
    let site = AwsSite::with(INVENTORY, POLICIES);
    let mut killed = 0;
    // A joiner and a leaver each round, so that there is always something to write.
    site.run(&[]).ends_with(0);
    for round in 1.. {
        assert!(round < 40, "the rounds end");
        let login = format!("new{round}");
        site.joins(&login, 2000 + round, &["build"]);
        site.account(HUB).access_key("diego");
        site.is_active("diego", round % 2 == 0);
        site.wire.clear();
        site.wire.inject(Place::write(killed + 1), Fault::StallAfterwards);
        let mut child =
            site.command(&[]).stdout(std::process::Stdio::null()).spawn().expect("it starts");
        let stalled = loop {
            if site.wire.faults_met() > 0 {
                break true;
            }
            if child.try_wait().expect("our child").is_some() {
                break false;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        };
        child.kill().expect("our child");
        child.wait().expect("our child");
        site.wire.clear();
        site.converge();
        let names = site.account(HUB).dump().text();
        assert!(names.contains(&format!("/reconcile/spi/{login}")), "round {round}");
        assert!(site.account(BUILDS).dump().names().contains(&"role /reconcile/spi/operator"));
        let keys = site.account(HUB).iam("ListAccessKeys", &[("UserName", "diego")]);
        if round % 2 == 1 {
            assert_eq!(keys.all("AccessKeyId"), [""; 0], "round {round}: a key outlived its owner");
        } else {
            for key in keys.all("AccessKeyId") {
                let of = [("UserName", "diego"), ("AccessKeyId", key.as_str())];
                site.account(HUB).iam("DeleteAccessKey", &of);
            }
        }
        if stalled {
            killed += 1;
        } else {
            break;
        }
    }
    assert!(killed >= 4, "only {killed} writes");
}
