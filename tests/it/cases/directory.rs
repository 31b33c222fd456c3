//! What directories in the field look like: members that are nobody, two groups of one name, names
//! that change, servers that page in their own way.

use std::net::TcpStream;
use std::process::{Command, Stdio};

use super::case::{Case, squeezed};
use crate::peers::process::{Process, free_port, wait_until};
use crate::peers::slapd::{ADMIN, ADMIN_PASSWORD, Setup, Slapd};

/// The memberships of the embedded cloud, as `user in group`.
fn members(case: &Case) -> Vec<String> {
    let lines = case.cloud();
    let members = lines.iter().filter_map(|line| line.split_once(" member "));
    members.map(|(_, member)| member.to_owned()).collect()
}

/// Starts a server with what the directory says at first, and points the case at it.
fn serve(case: &Case, global: &str) -> Slapd {
    // What `slapadd` and Microsoft's schema want besides.
    let category = "objectCategory: cn=x,dc=example,dc=org";
    let user = format!(
        "objectClass: user\nobjectClass: extensibleObject\ninstanceType: 4\nnTSecurityDescriptor:: AQ==\n{category}\n"
    );
    let ldif = case.file("before.ldif").replace("version: 1\n\n", "");
    let ldif = ldif.replace("objectClass: user\n", &user);
    let slapd = Slapd::start(&Setup { ldif: &ldif, global, ..Setup::default() });
    let port = slapd.address().port().to_string();
    case.edit("inventory/all.yaml", "PORT", &port);
    case.allow(&[&slapd.url()]);
    slapd
}

/// Makes changes on a server.
fn change(case: &Case, slapd: &Slapd, changes: &str) {
    let file = case.path("change.ldif");
    std::fs::write(&file, changes).expect("a file");
    let output = Command::new("ldapmodify")
        .args(["-x", "-H", &slapd.url(), "-D", ADMIN, "-w", ADMIN_PASSWORD, "-f"])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .expect("ldapmodify can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn members_nobody_knows_are_told_with_an_example_and_a_cause() {
    let case = Case::new("members-nobody-knows");
    let run = case.run(&[]).ends_with(0);
    assert!(
        run.out.contains("3 of the 4 members that `people:choir` lists are nobody"),
        "{}",
        run.out
    );
    assert_eq!(case.cloud().iter().filter(|line| line.contains(" user ")).count(), 1, "only ada");
    // Each near miss by itself.
    for (keep, cause) in [
        ("memberUid: 1002", "it is the number of `bela` where the log-in name belongs"),
        ("memberUid: Cora", "it differs from the log-in name `cora` in case only"),
        (
            "memberUid: uid=dora,ou=people,dc=example,dc=org",
            "it is a distinguished name where a log-in name belongs",
        ),
        ("memberUid: zora", "nobody has that log-in name"),
    ] {
        let case = Case::new("members-nobody-knows");
        let text = case.file("before.ldif");
        let others = |line: &&str| !line.starts_with("memberUid: ") || *line == "memberUid: ada";
        let lines: Vec<&str> = text.trim_end().lines().filter(others).collect();
        case.write_people(&format!("{}\n{keep}\n", lines.join("\n")));
        let run = case.run(&["--dry-run"]).ends_with(0);
        assert!(run.out.contains("1 of the 2 members") && run.out.contains(cause), "{}", run.out);
    }
}

/// A slip of the pen in the directory is told, and costs nobody anything where it is plain who is
/// meant; nobody gets anything on it either.
#[test]
fn who_is_meant_by_a_near_miss_stays() {
    let right = "memberUid: ada\nmemberUid: bela\nmemberUid: cora\nmemberUid: dora\n";
    let case = Case::new("members-nobody-knows");
    let missed = case.file("before.ldif");
    let (people, _) = missed.split_once("memberUid: ").expect("members");
    let dora = "dn: uid=dora,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
                objectClass: posixAccount\nuid: dora\nuidNumber: 1004\ngidNumber: 100\n\
                homeDirectory: /home/dora\ncn: Dora\nsn: Dora\n\n";
    let people = people.replace("dn: cn=choir", &format!("{dora}dn: cn=choir"));
    case.write_people(&format!("{people}memberUid: ada\n"));
    case.run(&[]).ends_with(0);
    // Nobody gets anything on the word of a near miss.
    let near = "memberUid: ada\nmemberUid: 1002\nmemberUid: Cora\n\
                memberUid: uid=dora,ou=people,dc=example,dc=org\n";
    case.write_people(&format!("{people}{near}"));
    let run = case.run(&[]).ends_with(0);
    assert_eq!(run.changes(), [""; 0], "{}", run.text());
    case.write_people(&format!("{people}{right}"));
    case.run(&[]).ends_with(0);
    case.write_people(&format!("{people}{near}"));
    let run = case.run(&[]).ends_with(0);
    assert_eq!(run.changes(), [""; 0], "{}", run.text());
    assert!(run.out.contains("3 of the 4 members that `people:choir` lists are nobody"));
    // Where it may be either of two, or is nobody, it is as it was: a member less.
    let twin = dora.replace("dora", "DORA").replace("1004", "1005");
    let people = people.replace("dn: cn=choir", &format!("{twin}dn: cn=choir"));
    case.write_people(&format!("{people}{}", right.replace("memberUid: dora", "memberUid: Dora")));
    let run = case.run(&["--dry-run"]);
    assert!(squeezed(&run.out).contains("- suspend user dora"), "{}", run.text());
}

#[test]
fn one_entry_without_the_stable_id_keeps_no_leaver_in() {
    let case = Case::new("one-entry-without-the-stable-id");
    case.run(&[]).ends_with(0);
    case.people("after.ldif");
    let run = case.run(&[]).ends_with(0);
    assert!(squeezed(&run.out).contains("- suspend user bela"), "{}", run.out);
    assert!(run.out.contains("no readable `employeeNumber`"), "{}", run.out);
}

#[test]
fn somebody_whose_id_is_gone_keeps_what_they_have_and_gets_nothing() {
    let case = Case::new("one-entry-without-the-stable-id");
    case.run(&[]).ends_with(0);
    let before = case.cloud();
    case.edit_people("employeeNumber: E1002\n", "");
    let run = case.run(&[]).ends_with(0);
    assert!(run.changes().is_empty(), "{}", run.out);
    assert_eq!(case.cloud(), before);
    // Two people with one id: which is which cannot be told.
    let case = Case::new("one-entry-without-the-stable-id");
    case.run(&[]).ends_with(0);
    let before = case.cloud();
    case.edit_people("employeeNumber: E1002\n", "employeeNumber: E1001\n");
    // Nobody at all can be told apart: that is said by the exit code, too.
    let run = case.run(&[]).ends_with(4);
    assert!(run.changes().is_empty(), "{}", run.out);
    assert!(run.out.contains("its stable id E1001 is shared (ada and bela)"), "{}", run.out);
    assert_eq!(case.cloud(), before);
}

#[test]
fn a_filter_for_people_keeps_entries_out_that_are_nobody() {
    let case = Case::new("one-entry-without-the-stable-id");
    case.edit(
        "inventory/all.yaml",
        "stable_id: employeeNumber",
        "stable_id: employeeNumber, people_filter: '(employeeNumber=*)'",
    );
    let run = case.run(&[]).ends_with(0);
    assert!(!run.out.contains("backup"), "{}", run.out);
    case.edit("inventory/all.yaml", "(employeeNumber=*)", "(employeeNumber=*");
    let run = case.run(&["check"]).ends_with(2);
    assert!(run.text().contains("this is not an LDAP filter"), "{}", run.text());
}

#[test]
fn member_uid_beside_member_counts_and_the_difference_is_told() {
    let case = Case::new("posix-group-in-bis-directory");
    let run = case.run(&[]).ends_with(0);
    assert!(
        run.out.contains("`member` and `memberUid` of `people:choir` differ by 2 people (bela"),
        "{}",
        run.out
    );
    let users = case.cloud().iter().filter(|line| line.contains(" user ")).count();
    assert_eq!((users, members(&case).len()), (3, 3), "{:?}", case.cloud());
}

#[test]
fn somebody_renamed_the_ldap_way_is_renamed_once() {
    let case = Case::new("renamed-the-ldap-way");
    let slapd = serve(&case, "");
    case.run(&[]).ends_with(0);
    change(&case, &slapd, &case.file("after.ldif"));
    let run = case.run(&[]).ends_with(0);
    assert!(run.out.contains("anna.berg → anna.dahl"), "{}", run.out);
    assert_eq!(run.changes().len(), 1, "{}", run.out);
    assert!(case.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn a_group_that_still_has_the_old_login_takes_nothing() {
    let case = Case::new("renamed-the-ldap-way");
    let slapd = serve(&case, "");
    case.run(&[]).ends_with(0);
    // The entry is renamed; the group follows later.
    let text = case.file("after.ldif");
    let (renaming, _) = text.split_once("\n\n").expect("two changes");
    change(&case, &slapd, &format!("{renaming}\n"));
    let run = case.run(&[]).ends_with(11);
    assert!(!run.out.contains("remove member") && !run.out.contains("suspend"), "{}", run.out);
    assert!(run.out.contains("another log-in name of `anna.dahl`, which counts"), "{}", run.out);
}

#[test]
fn a_second_group_of_the_name_widens_no_privileged_grant_and_takes_nothing() {
    let case = Case::new("same-cn-in-two-ous");
    case.run(&[]).ends_with(0);
    let before = case.cloud();
    case.people("after.ldif");
    for _ in 0..2 {
        let run = case.run(&[]).ends_with(11);
        assert!(run.changes().is_empty(), "{}", run.out);
        for dn in ["cn=admins,ou=groups,dc=example,dc=org", "cn=admins,ou=wiki,dc=example,dc=org"] {
            assert!(run.out.contains(dn), "{}", run.out);
        }
        assert_eq!(case.cloud(), before, "ada stays, wim gets nothing");
    }
    // Who is in both is meant, whichever is.
    case.edit_people(
        "cn: admins\nmember: uid=ada,ou=people,dc=example,dc=org",
        "cn: admins\nmember: uid=ada,ou=people,dc=example,dc=org\n\
         member: uid=wim,ou=people,dc=example,dc=org",
    );
    let run = case.run(&[]).ends_with(11);
    assert!(squeezed(&run.out).contains("+ create user wim"), "{}", run.out);
}

#[test]
fn a_server_that_ignores_paging_is_read() {
    let case = Case::new("server-that-ignores-paging");
    let (port, _server) = small_server(&case);
    case.edit("inventory/all.yaml", "PORT", &port.to_string());
    case.allow(&[&format!("ldap://127.0.0.1:{port}")]);
    case.run(&[]).ends_with(0);
    let text = std::fs::read_to_string(case.path("inventory/all.yaml")).expect("a file");
    let text = text.replace("start_tls: false", "start_tls: false, page_size: 0");
    std::fs::write(case.path("inventory/all.yaml"), text).expect("a file");
    case.run(&["check"]).ends_with(0);
    assert!(case.run(&[]).ends_with(0).changes().is_empty());
    // As many entries as a page: nobody can tell.
    case.edit("inventory/all.yaml", "page_size: 0", "page_size: 2");
    let run = case.run(&[]).ends_with(4);
    assert!(run.out.contains("set `page_size: 0` for a server that cannot page"), "{}", run.out);
}

fn small_server(case: &Case) -> (u16, Process) {
    for _ in 0..5 {
        let port = free_port();
        let child = Command::new("python3")
            .arg(case.source("server.py"))
            .arg(port.to_string())
            .arg(case.source("before.ldif"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 can be run");
        let mut process = Process::new(child);
        let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        if wait_until(|| answers() || process.has_ended()) && !process.has_ended() {
            return (port, process);
        }
    }
    panic!("the small LDAP server does not start");
}

#[test]
fn of_several_servers_the_first_that_answers_is_read() {
    let case = Case::new("renamed-the-ldap-way");
    let slapd = serve(&case, "");
    let url = format!("'{}'", slapd.url());
    case.edit("inventory/all.yaml", &url, &format!("['ldap://127.0.0.1:1', {url}]"));
    // All of them need the operator's leave.
    let run = case.run(&[]);
    assert!(members(&case).is_empty(), "{}", run.text());
    case.allow(&["ldap://127.0.0.1:1", &slapd.url()]);
    let run = case.run(&[]).ends_with(0);
    assert_eq!(members(&case).len(), 2, "{}", run.out);
    drop(slapd);
    let run = case.run(&[]).ends_with(4);
    assert!(run.out.contains("everything on ldap://127.0.0.1:1"), "{}", run.out);
    assert!(run.out.contains(&format!("everything on {}", url.trim_matches('\''))), "{}", run.out);
}

#[test]
fn references_at_the_root_of_a_domain_keep_no_leaver_in() {
    let case = Case::new("ad-root-references");
    let slapd = serve(&case, "include /etc/ldap/schema/msuser.schema");
    case.run(&[]).ends_with(0);
    change(&case, &slapd, &case.file("after.ldif"));
    let run = case.run(&[]).ends_with(0);
    assert!(squeezed(&run.out).contains("- remove member bela"), "{}", run.out);
}

#[test]
fn names_with_blanks_and_umlauts_work() {
    let case = Case::new("umlauts-and-spaces");
    let run = case.run(&["check"]);
    assert!(!run.text().contains("bad-group"), "{}", run.text());
    let run = case.run(&["--dry-run"]);
    assert!(run.out.contains("`max.müstermann`") && run.out.contains("`login_map`"), "{}", run.out);
    case.edit(
        "inventory/all.yaml",
        "schema: rfc2307bis",
        "schema: rfc2307bis, login_map: {max.müstermann: max.muestermann}, \
         group_map: {Cloud Admins: cloud-admins}",
    );
    let run = case.run(&[]).ends_with(0);
    assert!(squeezed(&run.out).contains("+ create user max.muestermann"), "{}", run.out);
    assert_eq!(members(&case).len(), 2, "{:?}", case.cloud());
    // Two people never meet in one name.
    case.edit("inventory/all.yaml", "max.muestermann", "ADA");
    let run = case.run(&["--dry-run"]);
    assert!(run.out.contains("name-collision"), "{}", run.out);
}
