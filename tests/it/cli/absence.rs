//! What is not there any more for another reason than that somebody left.

use std::net::TcpListener;
use std::{fs, thread};

use super::site::{PEOPLE, Site};

#[test]
fn nobody_loses_anything_on_the_day_on_which_the_hub_is_moved() {
    let site = Site::applied();
    let organisations = "inventory/organisations.yaml";
    let text = site.read(organisations);
    let hub = text.lines().find(|line| line.contains("hub: true           #")).unwrap();
    let text = text.replacen(&format!("{hub}\n"), "", 1).replacen(
        "        id: \"100000000003\"\n",
        "        id: \"100000000003\"\n        hub: true\n",
        1,
    );
    site.write(organisations, &text);
    let run = site.run(&["--dry-run"]).ends_with(0);
    assert!(run.out.contains("former-hub"), "{}", run.out);
    for lost in ["- suspend user", "- remove member", "- delete user"] {
        assert!(!run.out.contains(lost), "{}", run.out);
    }
}

#[test]
fn a_directory_that_has_another_name_now_takes_no_group_away() {
    let site = Site::applied();
    for file in [
        "inventory/directories.yaml",
        "inventory/organisations.yaml",
        "inventory/projects.yaml",
        "inventory/freedesktop/grants.yaml",
        "inventory/harbour/grants.yaml",
    ] {
        let text = site.read(file);
        let text = text
            .replace("\n  freedesktop:\n    ldif", "\n  fdo:\n    ldif")
            .replace("freedesktop:ci", "fdo:ci")
            .replace("freedesktop:stewards", "fdo:stewards")
            .replace("directory: freedesktop", "directory: fdo");
        site.write(file, &text);
    }
    let run = site.run(&["--dry-run"]);
    assert!(run.out.contains("directory freedesktop (not in the inventory)"), "{}", run.out);
    for lost in ["- delete group", "- unbind role", "- remove member", "- suspend user"] {
        assert!(!run.out.contains(lost), "{}", run.out);
    }
}

#[test]
fn an_attribute_that_nobody_shows_takes_nothing_away() {
    for hidden in ["keyFingerPrint: ", "supplementaryGid: "] {
        let site = Site::applied();
        let text = site.read(PEOPLE);
        let shown = |line: &&str| !line.starts_with(hidden);
        let text: Vec<&str> = text.lines().filter(shown).collect();
        site.write(PEOPLE, &(text.join("\n") + "\n"));
        let run = site.run(&["--dry-run"]).ends_with(4);
        assert!(run.changes().is_empty(), "{hidden}: {}", run.out);
    }
}

#[test]
fn files_that_change_while_a_run_reads_stop_it() {
    let site = Site::new();
    let grants = site.root().join("inventory/debian/grants.yaml");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    site.edit(
        "inventory/directories.yaml",
        "    ldif: inventory/people/freedesktop.ldif\n",
        &format!("    ldap: {{url: \"ldap://127.0.0.1:{port}\", start_tls: false, attempts: 1}}\n"),
    );
    site.operator(&format!("servers: ['ldap://127.0.0.1:{port}']\n"));
    // By the time somebody asks the server the files have been read. Then git pulls.
    let pull = thread::spawn(move || {
        let asked = server.accept().unwrap();
        let text = fs::read_to_string(&grants).unwrap();
        fs::write(&grants, text + "# pulled\n").unwrap();
        drop(asked);
    });
    let run = site.run(&[]).ends_with(7);
    pull.join().unwrap();
    assert!(run.err.contains("changed while this run was reading"), "{}", run.err);
    assert!(run.err.contains("nothing was changed"), "{}", run.err);
}
