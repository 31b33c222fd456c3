//! Everybody of a directory under other ids, at AWS: shown first, then done, and nobody loses anything.

use super::site::{AwsSite, HUB, has};

#[test]
fn everybody_under_other_ids_is_adopted_at_once_and_nobody_loses_anything() {
    let site = AwsSite::new();
    let everybody = ["amara", "boris", "chiyo", "diego", "emeka"];
    for login in everybody {
        site.ldap(&format!(
            "dn: uid={login},ou=users,dc=example,dc=org\nchangetype: modify\nadd: mail\n\
             mail: {login}@example.org\n"
        ));
    }
    site.run(&[]).ends_with(0);
    let groups = |login: &str| {
        site.account(HUB).iam("ListGroupsForUser", &[("UserName", login)]).all("GroupName")
    };
    let before = everybody.map(groups);
    site.edit("schema: userdir", "schema: userdir\n    stable_id: uid");
    site.wire.clear();
    let held = site.run(&[]);
    assert!(held.text().contains("reconcile adopt --all debian"), "{}", held.text());
    let shown = site.run(&["adopt", "--all", "debian"]).ends_with(0);
    for (number, login) in (1001..).zip(everybody) {
        let line = format!("as person:debian:{login}, not person:debian:{number}");
        assert!(shown.out.contains(&line), "{}", shown.out);
    }
    assert!(shown.out.contains("Nothing was done"), "{}", shown.out);
    assert!(site.wire.writes().is_empty(), "{:?}", site.wire.writes());

    site.run(&["adopt", "--all", "debian", "--yes"]).ends_with(0);
    site.wire.clear();
    let run = site.run(&[]).ends_with(0);
    assert_eq!(run.changes(), [""; 0], "{}", run.out);
    assert!(site.wire.writes().is_empty(), "{:?}", site.wire.writes());
    assert_eq!(everybody.map(groups), before);
    let again = site.run(&["adopt", "--all", "debian"]).ends_with(0);
    assert!(again.out.contains("Nobody of directory debian has another id"), "{}", again.out);
    // The directory is believed under its new ids: it takes.
    site.is_active("emeka", false);
    let run = site.run(&[]).ends_with(0);
    assert!(has(&run, "- suspend user emeka"), "{}", run.out);
}
