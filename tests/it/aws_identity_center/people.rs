//! Who is who, where marks are damaged, ids change or two people have one address.

use serde_json::json;

use super::site::{applied, run, says};

/// Somebody of the directory, as the case writes them.
fn person(login: &str, number: u32, mail: &str) -> String {
    format!(
        "\ndn: uid={login},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
         objectClass: posixAccount\nuid: {login}\nuidNumber: {number}\ngidNumber: 100\n\
         homeDirectory: /home/{login}\ncn: {login}\nsn: {login}\nmail: {mail}\n"
    )
}

#[test]
fn whoever_is_renamed_while_their_mark_is_damaged_gets_no_second_user() {
    let (case, peer) = applied();
    let bela = peer.state().user_called("bela");
    peer.state().edit_user(&bela, &json!({"UserType": "reconcile:example:pers"}));
    let renamed = case.file("before.ldif").replace("uid=bela", "uid=bruno");
    let renamed = renamed.replace("uid: bela", "uid: bruno");
    case.write_people(&renamed.replace("memberUid: bela", "memberUid: bruno"));
    for _run in 0..2 {
        let ran = run(&case, &peer, &[]).ends_with(11);
        assert_eq!(ran.changes(), [""; 0], "{}", ran.out);
        says(&ran, "error[damaged-mark] example/main: person:people:1002 (`bruno`) gets no user");
        says(&ran, "and has their mail address");
        says(&ran, "`reconcile adopt main user bela --as person:people:1002` mends it");
    }
    let mend = ["adopt", "main", "user", "bela", "--as", "person:people:1002", "--yes"];
    run(&case, &peer, &mend).ends_with(0);
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(&ran, "update user bela");
    assert_eq!(ran.changes().len(), 1, "{}", ran.out);
    assert_eq!(peer.state().user_called("bruno"), bela);
}

#[test]
fn of_two_newcomers_with_one_address_neither_gets_in_and_both_are_told() {
    let (case, peer) = applied();
    let more = [person("dora", 1004, "d@example.org"), person("dana", 1005, "D@example.org")];
    let people = case.file("before.ldif");
    let people = people.replace("\ndn: cn=choir", &format!("{}\ndn: cn=choir", more.concat()));
    case.write_people(&(people.trim_end().to_owned() + "\nmemberUid: dora\nmemberUid: dana\n"));
    let writes = peer.state().writes;
    for arguments in [&["--dry-run"][..], &[]] {
        let ran = run(&case, &peer, arguments).ends_with(11);
        says(
            &ran,
            "error[mail-taken] example/main: person:people:1004 (`dora`) cannot have its mail \
             address: person:people:1005 (`dana`) is to have it, too",
        );
        says(&ran, "person:people:1005 (`dana`) cannot have its mail address");
        assert!(!ran.text().to_lowercase().contains("d@example.org"), "{}", ran.text());
        assert_eq!((ran.changes(), peer.state().writes), (Vec::new(), writes));
    }
    // Of those who are there, neither gets an address that both are to have.
    let swapped = case.file("before.ldif");
    let swapped = swapped.replace("mail: ada@example.org", "mail: choir@example.org");
    case.write_people(&swapped.replace("mail: bela@example.org", "mail: choir@example.org"));
    let ran = run(&case, &peer, &[]).ends_with(11);
    assert_eq!(ran.changes(), [""; 0], "{}", ran.out);
    says(&ran, "person:people:1001 (`ada`) cannot have its mail address");
    // Whoever has it keeps it, and the other one waits.
    let taken = case.file("before.ldif").replace("mail: bela@", "mail: ada@");
    case.write_people(&taken);
    let ran = run(&case, &peer, &[]).ends_with(11);
    assert_eq!(ran.changes(), [""; 0], "{}", ran.out);
    says(&ran, "person:people:1002 (`bela`) cannot have its mail address: user `ada` has it");
}

#[test]
fn everybody_under_other_ids_is_adopted_at_once_and_nobody_loses_anything() {
    let (case, peer) = applied();
    // Enough people that all of them at once are too many to be believed gone.
    let logins = ["dora", "emil", "finn", "gala", "hugo", "ines"];
    let more = (1004..).zip(logins).map(|(id, one)| person(one, id, &format!("{one}@example.org")));
    let more = format!("{}\ndn: cn=choir", more.collect::<String>());
    let people = case.file("before.ldif").replace("\ndn: cn=choir", &more);
    let joined = logins.map(|login| format!("\nmemberUid: {login}")).concat();
    case.write_people(&(people.trim_end().to_owned() + &joined + "\n"));
    case.edit("policies/all.yaml", ", directory: {floor: 9}", "");
    run(&case, &peer, &[]).ends_with(0);
    case.edit("inventory/all.yaml", "schema: rfc2307}", "schema: rfc2307, stable_id: uid}");
    let before = peer.state().writes;
    let held = run(&case, &peer, &[]);
    says(&held, "reconcile adopt --all people");
    let shown = run(&case, &peer, &["adopt", "--all", "people"]).ends_with(0);
    says(&shown, "~ adopt user ada as person:people:ada, not person:people:1001");
    says(&shown, "Nothing was done");
    assert_eq!(peer.state().writes, before, "{}", held.out);

    run(&case, &peer, &["adopt", "--all", "people", "--yes"]).ends_with(0);
    let after = peer.state().writes;
    assert_eq!(after, before + 8, "one mark each");
    let ran = run(&case, &peer, &[]).ends_with(0);
    assert_eq!((ran.changes(), peer.state().writes), (Vec::new(), after), "{}", ran.out);
    let again = run(&case, &peer, &["adopt", "--all", "people"]).ends_with(0);
    says(&again, "Nobody of directory people has another id");
    assert_eq!(peer.state().count("DeleteGroupMembership"), 0);
    assert_eq!(peer.state().count("DeleteAccountAssignment"), 0);
}

#[test]
fn whoever_is_disabled_by_hand_while_suspended_comes_back_disabled() {
    let (case, peer) = applied();
    let everybody = case.file("before.ldif");
    let without = everybody.split("\n\n").filter(|entry| !entry.contains("uid: bela\n"));
    let without = without.collect::<Vec<_>>().join("\n\n").replace("memberUid: bela\n", "");
    case.write_people(&without);
    run(&case, &peer, &[]).ends_with(0);
    let bela = peer.state().user_called("bela");
    let suspended = || {
        let user_type = peer.state().stored_user(&bela)["UserType"].to_string();
        user_type.contains(";suspended=")
    };
    assert!(suspended());
    // Let in again by hand: no flag tells it, and it does not last.
    let choir = peer.state().group_called("choir");
    for status in ["ENABLED", "DISABLED"] {
        peer.state().edit_user(&bela, &json!({"UserStatus": status}));
        peer.state().join(&choir, &bela);
        let ran = run(&case, &peer, &[]).ends_with(0);
        says(&ran, "remove member");
        assert!(!ran.out.contains("restore user"), "{}", ran.out);
        assert!(suspended());
    }
    case.people("before.ldif");
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(&ran, "restore user bela");
    says(&ran, "warning[disabled-by-hand]");
    assert!(!suspended());
    assert_eq!(peer.state().stored_user(&bela)["UserStatus"], "DISABLED");
    let after = run(&case, &peer, &[]).ends_with(0);
    says(&after, "user `bela` (person:people:1002) was disabled by somebody else");
    assert_eq!(after.changes(), [""; 0], "{}", after.out);
}
