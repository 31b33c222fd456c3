//! An LDIF file that was cut is never taken for a whole one.

use std::process::Command;

use reconcile::directory::{Origin, SchemaKind};
use reconcile::model::Reading;

use crate::cli::site::{PEOPLE, Site};
use crate::directory::{
    assert_complete, assert_partial, config, operator_for, person, read_it, read_ldif_as_it_is,
    server,
};
use crate::peers::slapd::{BASE, Setup, Slapd, USERDIR};

const FEW: &str = "version: 1

dn: gid=adm,ou=users,dc=example,dc=org
objectClass: debianGroup
gid: adm

dn: uid=ada,ou=users,dc=example,dc=org
objectClass: debianDeveloper
uid: ada
uidNumber: 1
cn:: SsO8cmdlbg==
sn: a name that goes on
  in the next line
supplementaryGid: adm

";

/// A whole file, and that file cut at every place: only what loses nothing but empty lines at the
/// end may pass.
async fn every_cut_is_found(text: &str) {
    assert_complete(&read_ldif_as_it_is(text, SchemaKind::Userdir).await);
    let needed = text.trim_ascii_end().len();
    for cut in 0..needed {
        let reading = read_ldif_as_it_is(&text[..cut], SchemaKind::Userdir).await;
        assert!(!reading.is_complete(), "cut at {cut} of {needed}: {:?}", &text[..cut]);
    }
}

#[tokio::test]
async fn every_cut_of_a_file_that_people_write_is_found() {
    for end in ["# end\n", "# end\n\n\n"] {
        every_cut_is_found(&format!("{FEW}{end}")).await;
    }
    every_cut_is_found(&format!("{FEW}# end\n").replace('\n', "\r\n")).await;
}

/// Reads a server and exports it.
async fn exported(slapd: &Slapd) -> String {
    let config = config(Origin::Ldap(Box::new(server(slapd.url()))), SchemaKind::Userdir);
    let operator = operator_for(&config);
    let access = reconcile::directory::Access {
        root: std::path::Path::new("/"),
        operator: &operator,
        environment: &|_| None,
    };
    reconcile::directory::export(&config, access).await.expect("a complete reading")
}

#[tokio::test]
async fn an_export_reads_as_the_server_does_and_every_cut_of_it_is_found() {
    let slapd = Slapd::start(&Setup { ldif: USERDIR, ..Setup::default() });
    let text = exported(&slapd).await;
    assert_eq!(text, exported(&slapd).await, "the same directory, the same bytes");
    let file = read_ldif_as_it_is(&text, SchemaKind::Userdir).await;
    let origin = Origin::Ldap(Box::new(server(slapd.url())));
    let (mut live, missing) = read_it(&config(origin, SchemaKind::Userdir)).await.into_parts();
    // A file shows no time.
    live.time = None;
    assert_eq!(file, Reading::from_parts(live, missing));
    assert!(person(file.got(), "ida").locked.is_some(), "without a password");
    assert!(!text.contains("SSLRESET") && !text.contains("$1$"), "{text}");
    // Every place would be thousands of files; lines and the middle of lines will do here.
    let ends = text.match_indices('\n').map(|(at, _)| at);
    for cut in ends.flat_map(|at| [at.saturating_sub(3), at, at + 1]).filter(|at| *at < text.len())
    {
        let reading = read_ldif_as_it_is(&text[..cut], SchemaKind::Userdir).await;
        assert!(!reading.is_complete(), "cut at {cut}");
    }
    let edited = text.replacen("uidNumber: 1002", "uidNumber: 1999", 1);
    let reading = read_ldif_as_it_is(&edited, SchemaKind::Userdir).await;
    assert_partial(&reading, &["not as it was when it was written", "`# end`"]);
}

/// What `ldapsearch` writes.
fn ldapsearch(slapd: &Slapd, options: &[&str]) -> String {
    let output = Command::new("ldapsearch")
        .args(["-x", "-H", &slapd.url(), "-b", BASE])
        .args(options)
        .output()
        .expect("ldapsearch of Debian's ldap-utils");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn a_dump_of_ldapsearch_is_whole_with_the_end_it_writes() {
    let slapd = Slapd::start(&Setup { ldif: USERDIR, ..Setup::default() });
    for options in [&["-o", "ldif-wrap=no"][..], &["-E", "pr=3/noprompt"]] {
        let dump = ldapsearch(&slapd, options);
        assert_complete(&read_ldif_as_it_is(&dump, SchemaKind::Userdir).await);
        for (at, _) in dump.match_indices('\n').filter(|(at, _)| at + 1 < dump.len()) {
            let reading = read_ldif_as_it_is(&dump[..=at], SchemaKind::Userdir).await;
            assert!(!reading.is_complete(), "{:?}", &dump[at.saturating_sub(40)..=at]);
        }
        // Two of them in one file: cut behind the first it would look whole.
        let two = read_ldif_as_it_is(&format!("{dump}{dump}"), SchemaKind::Userdir).await;
        assert_partial(&two, &["stands behind line"]);
    }
    let without = ldapsearch(&slapd, &["-LLL"]);
    let reading = read_ldif_as_it_is(&without, SchemaKind::Userdir).await;
    assert_partial(&reading, &["nothing says that the file ends here", "`# end`", "export-ldif"]);
    let appended = format!("{without}# end\n");
    assert_complete(&read_ldif_as_it_is(&appended, SchemaKind::Userdir).await);
}

#[test]
fn without_a_mark_nothing_is_removed_and_additions_go_on() {
    let site = Site::applied();
    let text = site.read(PEOPLE);
    let begins = text.find("dn: uid=eilidh,").expect("somebody");
    let ends = begins + text[begins..].find("\n\n").expect("the end of the entry") + 2;
    let gone = format!("{}{}", &text[..begins], &text[ends..]);
    let joined = gone.replacen("uid: tomasz\n", "uid: tomasz\nsupplementaryGid: mirrors\n", 1);
    site.write(PEOPLE, &joined.replace("# end\n", ""));
    let run = site.run(&["--dry-run"]).ends_with(4);
    assert!(run.changes().iter().all(|change| change.starts_with('+')), "{}", run.out);
    assert!(run.changes().iter().any(|change| change.contains("tomasz")), "{}", run.out);
    assert!(run.text().contains("end it with the line `# end`"), "{}", run.text());
    let check = site.run(&["check"]).ends_with(0);
    assert_eq!(check.text().matches("`# end`").count(), 1, "{}", check.text());
    site.write(PEOPLE, &joined);
    let run = site.run(&["--dry-run"]);
    assert!(run.changes().iter().any(|change| change.starts_with('-')), "{}", run.out);
}

#[test]
fn an_export_is_whole_or_is_not_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let site = Site::new();
    let out = site.path("exported.ldif");
    let arguments = ["export-ldif", "debian", "--out", out.to_str().expect("a path")];
    site.run(&arguments).ends_with(0);
    let text = std::fs::read_to_string(&out).expect("the export");
    assert!(text.contains("uid: eilidh") && text.contains("\n# reconcile: "), "{text}");
    let mode = std::fs::metadata(&out).expect("the export").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = site.run(&["--dry-run"]).ends_with(0);
    site.write(PEOPLE, &text);
    assert_eq!(site.run(&["--dry-run"]).ends_with(0).out, before.out, "it reads as what it is of");
    assert_eq!(site.run(&["export-ldif", "debian"]).ends_with(0).out, text);
    site.write(PEOPLE, &text[..text.len() / 2]);
    let refused = site.run(&arguments).ends_with(4);
    assert!(refused.err.contains("nothing was written"), "{}", refused.err);
    assert_eq!(std::fs::read_to_string(&out).expect("the older export"), text);
    let unknown = site.run(&["export-ldif", "debain"]).ends_with(2);
    assert!(unknown.err.contains("did you mean `debian`?"), "{}", unknown.err);
}
