//! Who is active, who is not, and who nobody can tell.

use super::case::{Case, squeezed};
use crate::peers::dirsrv::Dirsrv;

/// Three people, all of them in the privileged group `admin` and in `users`, which is not.
fn organisation() -> Case {
    let case = Case::new("status-hidden");
    let person = |number: u32, login: &str, more: &str| {
        format!(
            "dn: uid={login},ou=users,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
             objectClass: debianAccount\nuid: {login}\nuidNumber: {number}\ngidNumber: 800\n\
             cn: {login}\nsn: {login}\nkeyFingerPrint: {number}\nsupplementaryGid: admin\n\
             supplementaryGid: users\n{more}\n"
        )
    };
    let group = |name: &str| {
        format!(
            "dn: gid={name},ou=users,dc=example,dc=org\nobjectClass: debianGroup\ngid: {name}\n\n"
        )
    };
    let text = [
        group("admin"),
        group("users"),
        person(1, "ada", ""),
        person(2, "bela", ""),
        person(3, "cora", ""),
    ]
    .concat();
    case.write_people(&text);
    let inventory = "\
directories:
  people: {ldif: inventory/people.ldif, schema: userdir, base: 'dc=example,dc=org'}
organisations:
  example:
    accounts:
      main: {vendor: memory, id: \"100000000001\"}
grants:
  - {group: admin, role: administrator, accounts: [main], reason: They run it}
  - {group: users, role: singer, accounts: [main], reason: They sing}
";
    std::fs::write(case.path("inventory/all.yaml"), inventory).expect("a file");
    let policies = "\
roles:
  administrator: {description: Runs it, privileged: true, means: {memory: {permissions: [\"*\"]}}}
  singer: {description: Sings, means: {memory: {permissions: [\"sing\"]}}}
limits: {default: {users: {floor: 9}, memberships: {floor: 9}, groups: {floor: 9}, roles: {floor: 9}, bindings: {floor: 9}, directory: {floor: 9}}}
";
    std::fs::write(case.path("policies/all.yaml"), policies).expect("a file");
    case
}

fn state(case: &Case, login: &str, more: &str) {
    case.edit_people(&format!("cn: {login}\n"), &format!("cn: {login}\n{more}\n"));
}

#[test]
fn whoever_is_not_plainly_active_keeps_what_harms_nobody_and_nothing_else() {
    for (more, told) in [
        ("accountStatus: Inactiv", "the status `Inactiv` is not known"),
        ("accountStatus: retiring 2026-02-30", "the status `retiring 2026-02-30` is not known"),
        ("accountStatus:: /w==", "its `accountStatus` cannot be understood"),
        ("shadowExpire: 99999x", "its `shadowExpire` cannot be understood"),
        ("shadowExpire:: /w==", "its `shadowExpire` cannot be understood"),
        ("accountStatus: retiring 2099-01-01", "retiring since 2099-01-01"),
        ("nsAccountLock: perhaps", "its `nsAccountLock` cannot be understood"),
    ] {
        let case = organisation();
        case.run(&[]).ends_with(0);
        state(&case, "bela", more);
        let run = case.run(&[]).ends_with(0);
        assert_eq!(run.changes().len(), 1, "{more}: {}", run.out);
        assert!(
            squeezed(&run.out).contains("- remove member bela from group admin"),
            "{more}: {}",
            run.out
        );
        assert!(run.out.contains(told), "{more}: {}", run.out);
        let explained = case.run(&["explain", "bela"]).ends_with(0);
        assert!(explained.out.contains(told), "{more}: {}", explained.out);
        assert!(case.run(&[]).ends_with(0).changes().is_empty());
    }
}

#[test]
fn the_policy_can_be_switched_off() {
    let case = organisation();
    case.run(&[]).ends_with(0);
    state(&case, "bela", "accountStatus: napping");
    let policies = case.path("policies/all.yaml");
    let text = std::fs::read_to_string(&policies).expect("a file");
    std::fs::write(&policies, format!("privileged_needs_active: false\n{text}")).expect("a file");
    let run = case.run(&[]).ends_with(0);
    assert!(run.changes().is_empty(), "{}", run.out);
}

#[test]
fn words_that_mean_gone_and_locks_end_access() {
    for more in [
        "accountStatus: disabled",
        "accountStatus: Retired 2020-01-01",
        "accountStatus: deleted",
        "accountStatus: active\naccountStatus: inactive",
        "shadowExpire: 30000\nshadowExpire: 1",
        "nsAccountLock: TRUE",
        "pwdAccountLockedTime: 000001010000Z",
        "krbPrincipalExpiration: 20200101000000Z",
    ] {
        let case = organisation();
        case.run(&[]).ends_with(0);
        state(&case, "bela", more);
        let run = case.run(&[]).ends_with(0);
        assert!(squeezed(&run.out).contains("- suspend user bela"), "{more}: {}", run.out);
    }
    // A lockout for wrong passwords passes, and anybody can bring it about.
    let case = organisation();
    case.run(&[]).ends_with(0);
    state(&case, "bela", "pwdAccountLockedTime: 20261101120000Z");
    assert!(case.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn the_inventory_names_further_words_and_locks() {
    let case = organisation();
    case.edit(
        "inventory/all.yaml",
        "schema: userdir",
        "schema: userdir, gone_words: [sabbatical], locked_when: {employeeType: [former]}",
    );
    case.run(&[]).ends_with(0);
    state(&case, "ada", "accountStatus: Sabbatical 2026");
    state(&case, "bela", "employeeType: Former");
    let run = case.run(&[]).ends_with(0);
    for login in ["ada", "bela"] {
        assert!(squeezed(&run.out).contains(&format!("- suspend user {login}")), "{}", run.out);
    }
}

#[test]
fn whoever_is_not_plainly_active_gets_nothing_new_and_is_not_restored() {
    let case = organisation();
    state(&case, "cora", "accountStatus: napping");
    let run = case.run(&[]).ends_with(0);
    assert!(
        !squeezed(&run.out).contains("user cora") && !squeezed(&run.out).contains("member cora"),
        "{}",
        run.out
    );
    assert!(run.out.contains("gets nothing new: the status `napping` is not known"), "{}", run.out);
    // Gone, and back in a state that nobody knows.
    state(&case, "bela", "accountStatus: inactive");
    case.run(&[]).ends_with(0);
    case.edit_people("accountStatus: inactive", "accountStatus: inaktiv");
    let run = case.run(&[]).ends_with(0);
    assert!(run.changes().is_empty(), "{}", run.out);
    case.edit_people("accountStatus: inaktiv", "accountStatus: active");
    assert!(case.run(&[]).ends_with(0).out.contains("restore user"));
}

#[test]
fn a_quiet_run_tells_an_odd_state_once_when_it_appears() {
    let case = organisation();
    case.run(&["--quiet"]).ends_with(0);
    assert_eq!(case.run(&["--quiet"]).ends_with(0).text(), "");
    // Nothing is to be done for it: the person is in no group.
    case.edit_people(
        "cn: cora\nsn: cora\nkeyFingerPrint: 3\nsupplementaryGid: admin\nsupplementaryGid: users\n",
        "cn: cora\nsn: cora\nkeyFingerPrint: 3\n",
    );
    case.run(&[]).ends_with(0);
    state(&case, "cora", "accountStatus: napping");
    let told = case.run(&["--quiet"]).ends_with(0);
    assert!(told.out.contains("the `accountStatus` `napping` is not known"), "{}", told.out);
    assert_eq!(case.run(&["--quiet"]).ends_with(0).text(), "", "once");
    assert!(case.run(&[]).ends_with(0).out.contains("napping"), "who looks is told");
    case.edit_people("accountStatus: napping", "accountStatus: dozing");
    assert!(case.run(&["--quiet"]).ends_with(0).out.contains("dozing"), "another one is news");
}

#[test]
fn accounts_disabled_in_freeipa_depart() {
    let case = Case::new("freeipa-disabled");
    case.run(&[]).ends_with(0);
    case.people("after.ldif");
    let run = case.run(&[]).ends_with(0);
    for login in ["bela", "cora"] {
        assert!(squeezed(&run.out).contains(&format!("- suspend user {login}")), "{}", run.out);
    }
    assert!(run.out.contains("locked (the account is locked (nsAccountLock))"), "{}", run.out);
    assert!(run.out.contains("account expired on 2020-01-01"), "{}", run.out);
}

/// 389 hands operational attributes out only to those who ask for them by name, and lets groups be
/// empty although the standard does not.
#[test]
fn accounts_locked_on_a_389_server_depart() {
    let case = Case::new("freeipa-disabled");
    // What only FreeIPA's own schema knows.
    let foreign = ["ipausergroup", "nestedgroup", "ipaobject", "krbprincipalaux"];
    let is_foreign = |line: &&str| {
        line.starts_with("ipaUniqueID") || foreign.iter().any(|name| line.ends_with(name))
    };
    let text = case.file("before.ldif");
    let lines: Vec<&str> = text.lines().filter(|line| !is_foreign(line)).collect();
    let server = Dirsrv::start(&(lines.join("\n") + "\n"));
    case.edit(
        "inventory/all.yaml",
        "ldif: inventory/people.ldif",
        &format!("ldap: {{url: '{}', start_tls: false}}", server.url()),
    );
    case.edit("inventory/all.yaml", "stable_id: ipaUniqueID", "stable_id: nsUniqueId");
    case.allow(&[&server.url()]);
    case.run(&[]).ends_with(0);
    server.modify(
        "dn: uid=bela,cn=users,cn=accounts,dc=example,dc=org\nchangetype: modify\n\
         add: nsAccountLock\nnsAccountLock: true\n",
    );
    let run = case.run(&[]).ends_with(0);
    assert!(squeezed(&run.out).contains("- suspend user bela"), "{}", run.out);
    // An emptied group is empty there, not hidden.
    server.modify(
        "dn: cn=choir,cn=groups,cn=accounts,dc=example,dc=org\nchangetype: modify\n\
         delete: member\n",
    );
    server.modify(
        "dn: uid=ada,cn=users,cn=accounts,dc=example,dc=org\nchangetype: modify\n\
         delete: memberOf\n",
    );
    let run = case.run(&[]);
    assert!(squeezed(&run.out).contains("- remove member ada"), "{}", run.out);
}
