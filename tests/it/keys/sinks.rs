//! Real files and real commands.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use reconcile::model::IssuedKey;
use reconcile::operator::{Command, Operator, Sink, SinkKind};
use reconcile::sink::{ConfiguredSinks, Recipient, Sinks as _};

fn key(secret: &str) -> IssuedKey {
    IssuedKey { id: "AKIAIOSFODNNEXAMPLEX".into(), secret: secret.to_owned().into() }
}

/// An operator's file with one sink, `it`, for service account `ci`.
pub fn with_sink(kind: SinkKind) -> Operator {
    let sink = Sink { kind, services: ["ci".into()].into(), organisations: [].into() };
    Operator { sinks: BTreeMap::from([("it".into(), sink)]), ..Operator::default() }
}

/// Checks and delivers for service account `ci` in account `hub`.
async fn deliver(kind: SinkKind, key: &IssuedKey) -> Result<(), String> {
    let operator = with_sink(kind);
    let environment = |_: &str| None;
    let sinks = ConfiguredSinks::new(&operator, &environment);
    let to =
        Recipient { service: &"ci".into(), organisation: &"spi".into(), account: &"hub".into() };
    let told = |error: reconcile::sink::SinkError| {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("planted"), "{text}");
        text
    };
    sinks.check(&"it".into(), &to).await.map_err(told)?;
    sinks.deliver(&"it".into(), &to, key).await.map_err(told)
}

fn file(root: &Path, path: &str) -> SinkKind {
    SinkKind::File(root.join(path))
}

fn command(root: &Path, words: &[&str]) -> SinkKind {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    SinkKind::Command(Command { words, folder: root.to_path_buf() })
}

#[tokio::test]
async fn a_file_is_made_for_its_owner_and_replaced_as_a_whole() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hub-ci.key");
    for secret in ["planted-1", "planted-2"] {
        deliver(file(root.path(), "{account}-{service}.key"), &key(secret)).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("AKIAIOSFODNNEXAMPLEX\n{secret}\n"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Whoever has the old one open reads the old one to its end.
    let old = fs::File::open(&path).unwrap();
    deliver(file(root.path(), "{account}-{service}.key"), &key("planted-3")).await.unwrap();
    assert_ne!(old.metadata().unwrap().ino(), fs::metadata(&path).unwrap().ino());
    assert_eq!(std::io::read_to_string(old).unwrap(), "AKIAIOSFODNNEXAMPLEX\nplanted-2\n");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left over");
}

#[tokio::test]
async fn files_that_would_not_keep_a_secret_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    let mode = |name: &str, mode| {
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, bits) in [("group", 0o640), ("others", 0o604), ("all", 0o666)] {
        fs::write(at(name), "old").unwrap();
        mode(name, bits);
    }
    fs::write(at("real"), "old").unwrap();
    mode("real", 0o600);
    symlink(at("real"), at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    fs::create_dir(at("open")).unwrap();
    mode("open", 0o777);
    for (name, why) in [
        ("group", "may be read by others (mode 640)"),
        ("others", "may be read by others (mode 604)"),
        ("all", "may be read by others (mode 666)"),
        ("link", "is a symbolic link"),
        ("dangling", "is a symbolic link"),
        ("folder", "is not a regular file"),
        ("open/key", "in a folder that everybody may write to"),
        ("missing/key", "No such file"),
        ("real/key", "is not in a folder"),
    ] {
        let told = deliver(file(root.path(), name), &key("planted")).await.unwrap_err();
        assert!(told.contains(why), "{name}: {told}");
    }
    for name in ["group", "others", "all", "real"] {
        assert_eq!(fs::read_to_string(at(name)).unwrap(), "old", "{name}");
    }
    assert!(!at("nowhere").exists());
}

/// A branch chooses the name of a service account, and so which file of the operator's folder.
#[tokio::test]
async fn only_a_file_that_holds_a_key_is_replaced() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("ci");
    let put = |text: &str| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let long = format!("AKIAIOSFODNNEXAMPLEX\n{}\n", "x".repeat(5000));
    for kept in [
        "",
        "hunter2\n",
        "AKIAIOSFODNNEXAMPLEX\n",
        "AKIAIOSFODNNEXAMPLEX\n\n",
        "AKIAIOSFODNNEXAMPLEX\nsecret",
        "AKIAIOSFODNNEXAMPLEX\nsecret\nmore\n",
        "user\npassword\n",
        "AKIASHORT\nsecret\n",
        "akiaiosfodnnexamplex\nsecret\n",
        "AKIAIOSFODNNEXAMPLEX\ntwo words\n",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n",
        &long,
    ] {
        put(kept);
        let told = deliver(file(root.path(), "{service}"), &key("planted")).await.unwrap_err();
        assert!(told.contains("holds no key that was put there"), "{kept:?}: {told}");
        assert_eq!(fs::read_to_string(&path).unwrap(), kept);
    }
    for earlier in [
        "AKIAIOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n",
        "k-0000002a\nsecret-1\n",
    ] {
        put(earlier);
        deliver(file(root.path(), "{service}"), &key("planted")).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "AKIAIOSFODNNEXAMPLEX\nplanted\n");
    }
}

#[tokio::test]
async fn a_command_gets_the_key_on_its_input_and_nowhere_else() {
    let root = tempfile::tempdir().unwrap();
    let script = "cat > \"$1\"; tr '\\0' '\\n' < /proc/$$/cmdline > words; env > variables";
    let words = ["sh", "-c", script, "sh", "{service}@{account}"];
    deliver(command(root.path(), &words), &key("planted")).await.unwrap();
    let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
    assert_eq!(read("ci@hub"), "AKIAIOSFODNNEXAMPLEX\nplanted\n");
    for name in ["words", "variables"] {
        assert!(!read(name).is_empty() && !read(name).contains("planted"), "{name}");
    }
}

#[tokio::test]
async fn a_command_is_no_shell_and_a_path_begins_at_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let script = root.path().join("take");
    fs::write(&script, "#!/bin/sh\necho \"$1\" > said\ncat > taken\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let words = ["./take", "$(touch owned); {service}"];
    deliver(command(root.path(), &words), &key("planted")).await.unwrap();
    let said = fs::read_to_string(root.path().join("said")).unwrap();
    assert_eq!(said, "$(touch owned); ci\n");
    assert!(!root.path().join("owned").exists());
}

#[tokio::test]
async fn commands_that_do_not_take_it_are_told_without_what_they_say() {
    let root = tempfile::tempdir().unwrap();
    for (words, why) in [
        (&["sh", "-c", "cat; cat >&2; exit 3"][..], "`sh` failed (exit status: 3)"),
        (&["false"], "`false` failed (exit status: 1)"),
        (&["sh", "-c", "kill -9 $$"], "`sh` failed (signal: 9 (SIGKILL))"),
        (&["no-such-program-here"], "cannot run `no-such-program-here`"),
        (&["./missing"], "cannot run `./missing`"),
    ] {
        let told = deliver(command(root.path(), words), &key("planted")).await.unwrap_err();
        assert!(told.starts_with(why), "{words:?}: {told}");
    }
}
