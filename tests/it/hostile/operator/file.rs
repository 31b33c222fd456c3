//! The operator's file itself: only one that nobody else could have written is believed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::cli::site::{Ran, Site, ran};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A good operator's file beside the site.
fn write(site: &Site, name: &str) -> std::path::PathBuf {
    let path = site.path(name);
    fs::write(&path, "servers: [ldaps://ldap.example.org]\n").unwrap();
    mode(&path, 0o600);
    path
}

fn explain(site: &Site, file: &Path) -> Ran {
    ran(site.command(&["explain", "eilidh"]).arg("--secrets").arg(file))
}

#[track_caller]
fn refused(site: &Site, file: &Path, why: &str) {
    for arguments in [&["explain", "eilidh"][..], &["--dry-run"], &["check"], &["plan"], &[]] {
        let ran = ran(site.command(arguments).arg("--secrets").arg(file)).ends_with(2);
        assert!(ran.err.contains(why) && ran.err.contains("hint: "), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "");
    }
    let diff = ran(site.command(&["diff", "--base", "HEAD"]).arg("--secrets").arg(file));
    assert!(diff.ends_with(2).err.contains(why));
}

#[test]
fn a_file_that_others_may_read_or_write_is_refused() {
    let site = Site::new();
    let file = write(&site, "operator.yaml");
    explain(&site, &file).ends_with(0);
    for bits in [0o640, 0o604, 0o620, 0o602, 0o644, 0o666] {
        mode(&file, bits);
        let ran = explain(&site, &file).ends_with(2);
        assert!(ran.err.contains(&format!("mode {bits:03o}")) && ran.err.contains("chmod 600"));
    }
    refused(&site, &file, "others than its owner may use it");
}

#[test]
fn a_file_in_a_folder_that_others_may_write_to_is_refused() {
    let site = Site::new();
    let folder = site.path("etc");
    fs::create_dir(&folder).unwrap();
    let file = write(&site, "etc/operator.yaml");
    explain(&site, &file).ends_with(0);
    for bits in [0o777, 0o757] {
        mode(&folder, bits);
        refused(&site, &file, "somebody else could put another in its place");
    }
}

#[test]
fn a_file_in_the_repository_is_refused_by_whatever_way() {
    let site = Site::new();
    let inside = write(&site, "site/operator.yaml");
    let outside = write(&site, "operator.yaml");
    let leads = |name: &str, to: &Path| {
        symlink(to, site.path(name)).unwrap();
        site.path(name)
    };
    // Into the repository, out of it, and through it.
    let into = leads("into.yaml", &inside);
    let out = leads("site/out.yaml", &outside);
    leads("site/there", &site.path(""));
    leads("beside", &site.root());
    let through = site.path("beside/there/operator.yaml");
    for file in [inside, into, out, through] {
        refused(&site, &file, "which merge requests change");
    }
    // A link that has nothing to do with it is the operator's business.
    let link = leads("link.yaml", &outside);
    explain(&site, &link).ends_with(0);
}

#[test]
fn a_file_in_the_work_tree_around_the_root_is_refused() {
    let site = Site::new();
    fs::create_dir(site.path(".git")).unwrap();
    refused(&site, &write(&site, "operator.yaml"), "which merge requests change");
}

#[test]
fn a_file_that_is_none_is_refused_at_once() {
    let site = Site::new();
    let pipe = site.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for path in [Path::new("/dev/zero"), &pipe, &site.path("home")] {
        refused(&site, path, "it is not a regular file");
    }
    let large = site.path("large");
    fs::write(&large, vec![b'#'; (1 << 20) + 1]).unwrap();
    mode(&large, 0o600);
    refused(&site, &large, "it has more than");
    refused(&site, &site.path("none"), "there is no operator's file at");
}

#[test]
fn every_mistake_in_it_is_told_and_none_of_its_lines_shown() {
    let site = Site::new();
    let file = write(&site, "operator.yaml");
    let inside = site.root().join("inventory");
    let text = format!(
        "\
secrets:
  one: {{file: {inside}/secret, servers: [ldaps://ldap.example.org]}}
  two: {{enviroment: planted-1, servers: ['ldaps://me:planted-2@ldap.example.org']}}
  three: {{command: [sh, {inside}/run], servers: []}}
  four: {{password: planted-3}}
trust:
  ca: {{file: {inside}/ca.pem, servers: [ldaps://*.example.org]}}
sinks:
  all: {{file: '{inside}/{{service}}'}}
  store: {{secret_store: {{url: 'https://v.example.org', path: a, secret: one}}, services: [x]}}
",
        inside = inside.display()
    );
    fs::write(&file, text).unwrap();
    let told = explain(&site, &file).ends_with(2).err;
    for (line, what) in [
        (2, "in-repository"),
        (3, "enviroment"),
        (3, "there is a user or a password in it"),
        (4, "in-repository"),
        (4, "this is for no server"),
        (5, "password"),
        (7, "in-repository"),
        (7, "neither a name nor an address"),
        (9, "in-repository"),
        (9, "whose keys it takes"),
    ] {
        assert!(
            told.contains(&format!("operator.yaml:{line}:")) && told.contains(what),
            "{what}: {told}"
        );
    }
    assert!(!told.contains("planted"), "{told}");
}

#[test]
fn the_record_names_it_and_its_digest_and_nothing_of_its_content() {
    let site = Site::new();
    let file = write(&site, "operator.yaml");
    ran(site.command(&[]).arg("--secrets").arg(&file)).ends_with(0);
    let shown = site.run(&["record", "show", "last", "--format", "json"]).ends_with(0).out;
    let digest = reconcile::digest::sha256(&fs::read(&file).unwrap());
    assert!(shown.contains(&format!("operator's file {}", file.display())), "{shown}");
    assert!(shown.contains(&digest) && !shown.contains("ldap.example.org"), "{shown}");
}

#[test]
fn it_is_found_in_its_usual_place_and_by_its_variable() {
    let site = Site::new();
    let folder = site.path("home/.config/reconcile");
    fs::create_dir_all(&folder).unwrap();
    let usual = write(&site, "home/.config/reconcile/operator.yaml");
    mode(&usual, 0o644);
    assert!(site.run(&["check"]).ends_with(2).err.contains("home/.config/reconcile/operator.yaml"));
    let good = write(&site, "operator.yaml");
    ran(site.command(&["check"]).env("RECONCILE_SECRETS", &good)).ends_with(0);
    mode(&usual, 0o600);
    site.run(&["check"]).ends_with(0);
}

/// A secret that was written in the place of a path, which the file lets pass for a path.
#[test]
fn what_cannot_be_opened_is_not_named() {
    let long = "planted".repeat(50);
    for planted in ["planted", "operator.yaml/planted", &long] {
        let site = Site::new();
        let path = write(&site, "operator.yaml");
        fs::write(&path, format!("record: {{sign_with: \"{planted}\"}}\n")).unwrap();
        for arguments in [&[][..], &["record", "verify"]] {
            let mut command = site.command(arguments);
            let ran = ran(command.arg("--secrets").arg(&path)).ends_with(2);
            assert!(ran.err.contains("`sign_with`"), "{}", ran.err);
            assert!(!ran.text().contains("planted"), "{}", ran.text());
        }
        let as_secret = [
            format!("secret: s, secrets: {{s: {{file: \"{planted}\", servers: [URL]}}}}"),
            format!("secret: s, secrets: {{s: {{command: [\"./{planted}\"], servers: [URL]}}}}"),
            format!(
                "trust: t, trust: {{t: {{file: \"{planted}\", servers: [URL]}}}}, servers: [URL]"
            ),
        ];
        for text in as_secret {
            let url = "ldaps://127.0.0.1:1";
            let (named, defined) = text.split_once(", ").unwrap();
            fs::write(&path, format!("{{{}}}\n", defined.replace("URL", &format!("'{url}'"))))
                .unwrap();
            let named = match named.strip_prefix("secret") {
                Some(_) => format!("bind: {{dn: cn=x, {named}}}"),
                None => named.to_owned(),
            };
            ldap(&site, &format!("url: '{url}', attempts: 1, {named}"));
            let ran = ran(site.command(&["--dry-run"]).arg("--secrets").arg(&path)).ends_with(4);
            assert!(!ran.text().contains("planted"), "{text}: {}", ran.text());
        }
    }
}

/// Makes the example's first directory one on a server.
fn ldap(site: &Site, settings: &str) {
    let text = site.read("inventory/directories.yaml");
    let (_, others) = text.split_once("  freedesktop:").unwrap();
    let ours = format!(
        "directories:\n  debian:\n    ldap: {{{settings}}}\n    schema: userdir\n    \
         base: dc=example,dc=org\n  freedesktop:{others}"
    );
    site.write("inventory/directories.yaml", &ours);
}

/// A run reads it once, at its beginning, and goes by that to its end: here it is another one as soon
/// as a directory is asked.
#[test]
fn it_is_read_once_and_a_run_goes_by_that() {
    let site = Site::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    ldap(
        &site,
        &format!(
            "url: '{url}', start_tls: false, attempts: 1, read_seconds: 1, bind: {{dn: cn=x, secret: s}}"
        ),
    );
    let path = write(&site, "operator.yaml");
    let other = "echo planted-other > operator.yaml; echo password";
    let text = format!("secrets: {{s: {{command: [sh, -c, '{other}'], servers: ['{url}']}}}}\n");
    fs::write(&path, &text).unwrap();
    let run = ran(site.command(&[]).arg("--secrets").arg(&path)).ends_with(4);
    assert_eq!(fs::read_to_string(&path).unwrap(), "planted-other\n", "it was another one");
    assert!(!run.text().contains("planted"), "{}", run.text());
    let shown = site.run(&["record", "show", "last", "--format", "json"]).ends_with(0).out;
    let digest = reconcile::digest::sha256(text.as_bytes());
    assert!(shown.contains(&digest), "the record has the one it went by: {shown}");
}
