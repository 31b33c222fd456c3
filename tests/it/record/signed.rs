//! Signatures and the witness: what they find, and that no kill looks like an attack.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use reconcile::record::{EndFacts, Error, Records, RunId, SigningKey, Trust};
use tempfile::TempDir;

use super::runs::{events, facts, records, write_plan};

/// A state folder and, beside it, what an operator keeps.
pub struct Kept {
    folder: TempDir,
    pub key: SigningKey,
}

impl Kept {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        Self { folder, key: SigningKey::generate().unwrap() }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn witness(&self) -> PathBuf {
        self.folder.path().join("witness")
    }

    fn trust(&self) -> Trust {
        let (sign_with, witness) = (Some(self.key.clone()), Some(self.witness()));
        Trust { sign_with, trusted: BTreeSet::new(), witness }
    }

    fn without_witness(&self) -> Trust {
        Trust { witness: None, ..self.trust() }
    }

    fn records(&self) -> Records {
        records(&self.state()).trusting(self.trust())
    }

    fn whole_run(&self) {
        whole_run(&self.records()).unwrap();
    }

    fn damage(&self, trust: Trust) -> Vec<String> {
        let found = records(&self.state()).trusting(trust).verify(None).unwrap();
        found.damage.iter().map(ToString::to_string).collect()
    }
}

fn whole_run(records: &Records) -> Result<(), Error> {
    let mut run = records.start(RunId::random(), facts())?;
    write_plan(&mut run);
    for event in events(0) {
        run.event(&event)?;
    }
    run.end(EndFacts { exit_code: 0 }).map(|_| ())
}

/// Every file of a folder with its content.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_signed_record_verifies_while_runs_go_on_and_after() {
    let kept = Kept::new();
    assert_eq!(kept.damage(kept.trust()), [""; 0]);
    kept.whole_run();
    let mut run = kept.records().start(RunId::random(), facts()).unwrap();
    write_plan(&mut run);
    for change in 0..12 {
        for event in events(change % 2) {
            run.event(&event).unwrap();
            assert_eq!(kept.damage(kept.trust()), [""; 0]);
        }
    }
    run.end(EndFacts { exit_code: 0 }).unwrap();
    assert_eq!(kept.damage(kept.trust()), [""; 0]);
    // Who has no key can look all the same.
    assert_eq!(kept.damage(Trust::default()), [""; 0]);
    let auditor = Trust {
        sign_with: None,
        trusted: [kept.key.public().clone()].into(),
        witness: Some(kept.witness()),
    };
    let found = records(&kept.state()).trusting(auditor).verify(None).unwrap();
    assert_eq!((found.damage, found.signed_by.as_ref()), (Vec::new(), Some(kept.key.public())));
}

#[test]
fn a_kill_between_any_two_writes_is_no_damage_and_the_next_run_mends() {
    // What is written for a run and its end, in order: every state a kill can leave is one in
    // which some of these have happened. They are made from the files before and after.
    let kept = Kept::new();
    kept.whole_run();
    let records_folder = kept.state().join("records");
    let before = kept.folder.path().join("before");
    copy(&records_folder, &before);
    let seen_before = fs::read(kept.witness()).unwrap();
    let run = kept.records().start(RunId::random(), facts()).unwrap();
    let after = kept.folder.path().join("after");
    copy(&records_folder, &after);
    let seen_after = fs::read(kept.witness()).unwrap();
    drop(run);
    let names = |extension: &str| -> Vec<String> {
        let all = fs::read_dir(&after).unwrap().map(|one| one.unwrap().file_name());
        let all = all.map(|name| name.into_string().unwrap());
        all.filter(|name| name.starts_with("000002-") && name.ends_with(extension)).collect()
    };
    let (run, progress) = (names(".jsonl").remove(0), names(".progress").remove(0));
    let starting = run.replace(".jsonl", ".starting");
    // (file in the record, its name among those after, or the witness)
    let steps: [(&str, &str); 5] = [
        (&progress, &progress),
        (&starting, &run),
        ("head.new", "head"),
        ("index.jsonl", "index.jsonl"),
        ("head", "head"),
    ];
    let whole = steps.len() + 3;
    for done in 0..=whole {
        for half in [false, true] {
            fs::remove_dir_all(&records_folder).unwrap();
            copy(&before, &records_folder);
            fs::write(kept.witness(), &seen_before).unwrap();
            for (at, (to, from)) in steps.iter().enumerate().take(done + usize::from(half)) {
                let content = fs::read(after.join(from)).unwrap();
                let is_half = half && at == done;
                // A head is put in its place at once, and so is not half written.
                if is_half && *to == "head" {
                    continue;
                }
                let begin = fs::read(before.join(to)).map_or(0, |old| old.len());
                let end = if is_half { begin + (content.len() - begin) / 2 } else { content.len() };
                fs::write(records_folder.join(to), &content[..end]).unwrap();
            }
            if done > 4 {
                fs::remove_file(records_folder.join("head.new")).unwrap();
                let end = if half { seen_after.len() - 30 } else { seen_after.len() };
                if done > 5 {
                    fs::write(kept.witness(), &seen_after[..end]).unwrap();
                }
            }
            if done > 6 {
                let path = |name: &str| records_folder.join(name);
                fs::rename(path(&starting), path(&run)).unwrap();
            }
            let point = format!("after {done} writes{}", if half { " and a half" } else { "" });
            assert_eq!(kept.damage(kept.trust()), [""; 0], "{point}");
            whole_run(&kept.records()).unwrap_or_else(|error| panic!("{point}: {error}"));
            assert_eq!(kept.damage(kept.trust()), [""; 0], "{point}, and a run");
        }
    }
}

#[test]
fn the_very_first_run_may_die_between_any_two_writes_too() {
    let kept = Kept::new();
    drop(kept.records().start(RunId::random(), facts()).unwrap());
    let folder = kept.state().join("records");
    // The index has the statement of the key and the begin of the run; keep its first line.
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let first = index.split_inclusive('\n').next().unwrap();
    let seen = fs::read_to_string(kept.witness()).unwrap();
    let head = seen.split_inclusive('\n').next().unwrap();
    for (announced, line, written, witnessed) in [
        (false, false, false, false),
        (true, false, false, false),
        (true, true, false, false),
        (false, true, true, false),
        (false, true, true, true),
    ] {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        let write = |wanted: bool, name: &str, text: &str| {
            if wanted {
                fs::write(folder.join(name), text).unwrap();
            }
        };
        write(announced, "head.new", head);
        fs::write(folder.join("index.jsonl"), "").unwrap();
        write(line, "index.jsonl", first);
        write(written, "head", head);
        fs::write(kept.witness(), if witnessed { head } else { "" }).unwrap();
        let point = format!("{announced} {line} {written} {witnessed}");
        assert_eq!(kept.damage(kept.trust()), [""; 0], "{point}");
        kept.whole_run();
        assert_eq!(kept.damage(kept.trust()), [""; 0], "{point}");
    }
}

#[test]
fn an_unsigned_record_gets_its_first_signature_by_hand_and_it_covers_what_was_there() {
    let kept = Kept::new();
    let unsigned = records(&kept.state());
    whole_run(&unsigned).unwrap();
    drop(unsigned.start(RunId::random(), facts()).unwrap());
    assert!(kept.damage(kept.without_witness())[0].contains("is not signed"));
    let error = whole_run(&kept.records()).unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error}");
    kept.records().sign().unwrap();
    assert_eq!(kept.damage(kept.trust()), [""; 0]);
    kept.whole_run();
    assert_eq!(kept.damage(kept.trust()), [""; 0]);
    // From then on nobody goes on without the key.
    assert!(matches!(whole_run(&unsigned), Err(Error::Untrusted { .. })));
    let path = fs::read_dir(kept.state().join("records"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("000001-"))
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("tower", "cellar", 1)).unwrap();
    assert_eq!(kept.damage(kept.trust()).len(), 1, "what came before is covered");
}

#[test]
fn a_new_key_takes_over_and_the_old_one_can_then_be_forgotten() {
    let mut kept = Kept::new();
    kept.whole_run();
    let old = kept.key.public().clone();
    kept.key = SigningKey::generate().unwrap();
    // Without an overlap it is refused, and told.
    assert!(kept.damage(kept.trust())[0].contains("which is not trusted"));
    assert!(matches!(whole_run(&kept.records()), Err(Error::Untrusted { .. })));
    let overlap = Trust { trusted: [old.clone()].into(), ..kept.trust() };
    assert_eq!(kept.damage(overlap.clone()), [""; 0], "old signatures stay valid");
    whole_run(&records(&kept.state()).trusting(overlap.clone())).unwrap();
    assert_eq!(kept.damage(overlap), [""; 0]);
    assert_eq!(kept.damage(kept.trust()), [""; 0], "the new key covers what the old one did");
    let outdated = Trust { sign_with: None, trusted: [old].into(), witness: None };
    assert!(kept.damage(outdated)[0].contains("which is not trusted"));
}

#[test]
fn who_trusts_keys_and_has_none_adds_nothing() {
    let kept = Kept::new();
    let trust =
        Trust { sign_with: None, trusted: [kept.key.public().clone()].into(), witness: None };
    let error = whole_run(&records(&kept.state()).trusting(trust)).unwrap_err();
    assert!(matches!(error, Error::NoKey), "{error}");
}
