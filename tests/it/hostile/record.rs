//! Attacks on what a run leaves behind: every forgery is performed on files that the built program
//! wrote, with hashes recomputed as somebody would who knows the format, but not the key.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use reconcile::digest::sha256;

use crate::cli::site::{Ran, Site, ran};

/// The example with a signed record of two runs, the second of which did something.
struct Signed {
    site: Site,
}

impl Signed {
    fn new() -> Self {
        let signed = Self { site: Site::new() };
        let key = signed.site.run(&["record", "keygen", "--out", &signed.operators("record.key")]);
        assert!(key.ends_with(0).out.starts_with("ed25519:"));
        signed.operator("record: {sign_with: record.key, witness: witness}");
        signed.run(&[]).ends_with(0);
        signed.site.edit_person("eilidh", |entry| format!("{entry}\naccountStatus: inactive"));
        signed.run(&[]).ends_with(0);
        assert!(signed.verify().ends_with(0).out.contains("signed by ed25519:"));
        signed
    }

    fn operators(&self, name: &str) -> String {
        self.site.path(&format!("home/{name}")).display().to_string()
    }

    fn operator(&self, text: &str) {
        let path = self.operators("operator.yaml");
        fs::write(&path, format!("{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let file = self.operators("operator.yaml");
        self.site.run(&[arguments, &["--secrets", &file]].concat())
    }

    fn verify(&self) -> Ran {
        self.run(&["record", "verify"])
    }

    fn records(&self) -> PathBuf {
        self.site.state().join("records")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.records().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.records().join(name), text).unwrap();
    }

    /// The file of a run.
    fn of_run(&self, number: usize) -> String {
        let begins = format!("{number:06}-");
        let names = fs::read_dir(self.records()).unwrap();
        let mut names = names.map(|one| one.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.starts_with(&begins)).unwrap()
    }

    /// It is found, by verify and by the next run, which changes nothing.
    #[track_caller]
    fn is_found(&self, what: &str) {
        let found = self.verify().ends_with(9);
        assert!(found.out.contains(what), "{}", found.out);
        let before = self.site.world().describe().unwrap();
        self.site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
        let run = self.run(&[]).ends_with(9);
        assert!(run.err.contains("nothing was changed"), "{}", run.err);
        assert_eq!(self.site.world().describe().unwrap(), before);
        assert_eq!(self.verify().code, Some(9), "and that has not made it genuine");
    }
}

/// Lines with new sequence numbers, links and hashes, as the format has them.
fn rehashed(lines: &[String], follows: &str) -> (String, String) {
    let (mut text, mut previous) = (String::new(), follows.to_owned());
    for (number, line) in (1..).zip(lines) {
        let rest = &line[line.find("\"time\"").unwrap()..line.rfind(",\"hash\":").unwrap()];
        let content = format!("{{\"sequence\":{number},\"previous\":\"{previous}\",{rest}");
        previous = sha256(content.as_bytes());
        let _ = writeln!(text, "{content},\"hash\":\"{previous}\"}}");
    }
    (text, previous)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn nothing() -> String {
    "0".repeat(64)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The last run taken out: its file, its lines of the index, and the head rewritten.
fn cut(signed: &Signed, with_signature: bool) {
    let index = lines(&signed.read("index.jsonl"));
    let kept = &index[..index.len() - 2];
    let (text, last) = rehashed(kept, &nothing());
    signed.write("index.jsonl", &text);
    let head = signed.read("head");
    let signature = head.trim_end().split_once(' ').unwrap().1.to_owned();
    let plain = format!("{}:{last}", kept.len());
    signed.write(
        "head",
        &if with_signature { format!("{plain} {signature}\n") } else { plain + "\n" },
    );
    fs::remove_file(signed.records().join(signed.of_run(2))).unwrap();
}

#[test]
fn the_last_run_is_cut_off_and_the_head_rewritten() {
    let signed = Signed::new();
    cut(&signed, true);
    signed.is_found("head: has a signature that does not fit");
    let signed = Signed::new();
    cut(&signed, false);
    signed.is_found("head: is not signed");
}

#[test]
fn without_a_key_the_cut_end_is_not_found_and_the_readme_says_so() {
    let signed = Signed::new();
    cut(&signed, false);
    signed.site.run(&["record", "verify"]).ends_with(0);
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains("Without a key nothing shows that the end was cut off"));
}

#[test]
fn the_last_run_is_rewritten_with_new_hashes() {
    let signed = Signed::new();
    let name = signed.of_run(2);
    let text = signed.read(&name);
    assert!(text.contains("eilidh"));
    let index = lines(&signed.read("index.jsonl"));
    let before = &index[index.len() - 3];
    let follows = before[before.len() - 66..before.len() - 2].to_owned();
    let (forged, last) = rehashed(&lines(&text.replace("eilidh", "gudrun")), &follows);
    signed.write(&name, &forged);
    let first = forged.lines().next().unwrap();
    let first = &first[first.len() - 66..first.len() - 2];
    let old = lines(&text);
    let hash = |line: &String| line[line.len() - 66..line.len() - 2].to_owned();
    let index: Vec<String> = index
        .iter()
        .map(|line| line.replace(&hash(&old[0]), first).replace(&hash(&old[old.len() - 1]), &last))
        .collect();
    let (text, last) = rehashed(&index, &nothing());
    signed.write("index.jsonl", &text);
    let head = signed.read("head");
    let signature = head.trim_end().split_once(' ').unwrap().1;
    signed.write("head", &format!("{}:{last} {signature}\n", index.len()));
    // Sound as far as hashes go.
    signed.site.run(&["record", "verify"]).ends_with(0);
    signed.is_found("head: has a signature that does not fit");
}

#[test]
fn a_line_is_added_behind_the_signed_ones() {
    let signed = Signed::new();
    let index = signed.read("index.jsonl");
    let mut all = lines(&index);
    all.push(all[all.len() - 2].clone());
    let (text, _) = rehashed(&all, &nothing());
    signed.write("index.jsonl", &text);
    signed.is_found("is covered by no signature");
}

#[test]
fn the_folder_is_emptied_or_removed() {
    let signed = Signed::new();
    fs::remove_dir_all(signed.records()).unwrap();
    signed.is_found("the record was emptied, cut or put back to an older state");
    let signed = Signed::new();
    for entry in fs::read_dir(signed.records()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    signed.is_found("has 0 lines, but the witness saw 5");
}

#[test]
fn the_folder_is_replaced_by_a_record_of_the_attackers() {
    let signed = Signed::new();
    let other = Site::applied();
    fs::remove_dir_all(signed.records()).unwrap();
    copy(&other.state().join("records"), &signed.records());
    signed.is_found("head: is not signed");
    // Signed, but by whom?
    let other = Signed::new();
    fs::remove_dir_all(signed.records()).unwrap();
    copy(&other.records(), &signed.records());
    assert!(signed.verify().ends_with(9).out.contains("which is not trusted (any more)"));
}

#[test]
fn the_record_is_put_back_to_an_older_copy_of_itself() {
    let signed = Signed::new();
    let older = signed.site.path("older");
    copy(&signed.records(), &older);
    signed.site.edit_person("farid", |entry| format!("{entry}\naccountStatus: inactive"));
    signed.run(&[]).ends_with(0);
    fs::remove_dir_all(signed.records()).unwrap();
    copy(&older, &signed.records());
    // Every signature is genuine: without the witness there is nothing to find.
    signed.operator("record: {sign_with: record.key}");
    signed.verify().ends_with(0);
    signed.operator("record: {sign_with: record.key, witness: witness}");
    signed.is_found("has 5 lines, but the witness saw 7");
}

#[test]
fn the_witness_is_emptied_or_told_old_things_again() {
    let signed = Signed::new();
    let witness = signed.operators("witness");
    let text = fs::read_to_string(&witness).unwrap();
    fs::write(&witness, "").unwrap();
    signed.is_found("the witness has seen none");
    let first = text.lines().next().unwrap();
    fs::write(&witness, format!("{text}{first}\n")).unwrap();
    assert!(signed.verify().ends_with(9).out.contains("goes back from 5 to 1 lines"));
    let anew = format!("anew {}", first.replacen(' ', &format!(" after {} ", nothing()), 1));
    fs::write(&witness, format!("{text}{anew}\n")).unwrap();
    assert!(signed.verify().ends_with(9).out.contains("without being signed for this place"));
}

#[test]
fn a_head_seen_elsewhere_is_a_witness_too() {
    let signed = Signed::new();
    let head = signed.verify().out;
    let head = head.lines().last().unwrap().strip_prefix("head ").unwrap();
    let expect = ["record", "verify", "--expect", head];
    signed.site.run(&expect).ends_with(0);
    cut(&signed, false);
    signed.site.run(&expect).ends_with(9);
}

#[test]
fn an_operator_who_has_looked_goes_on_and_that_can_be_seen() {
    let signed = Signed::new();
    fs::remove_dir_all(signed.records()).unwrap();
    signed.verify().ends_with(9);
    signed.run(&["record", "sign"]).ends_with(0);
    signed.run(&[]).ends_with(0);
    let found = signed.verify().ends_with(0);
    assert!(found.out.contains("1 time an operator signed a record that was not the one"));
    // Nobody can sign who has no key.
    signed.site.run(&["record", "sign"]).ends_with(2);
}

#[test]
fn a_key_that_is_no_longer_trusted_is_a_finding_and_a_new_one_takes_over() {
    let signed = Signed::new();
    let old = signed.verify().out;
    let old = old.split("signed by ").nth(1).unwrap().lines().next().unwrap().to_owned();
    signed.site.run(&["record", "keygen", "--out", &signed.operators("new.key")]).ends_with(0);
    signed.operator("record: {sign_with: new.key, witness: witness}");
    signed.run(&[]).ends_with(9);
    assert!(signed.verify().ends_with(9).out.contains("which is not trusted (any more)"));
    signed
        .operator(&format!("record: {{sign_with: new.key, trusted: ['{old}'], witness: witness}}"));
    signed.run(&[]).ends_with(0);
    signed.operator("record: {sign_with: new.key, witness: witness}");
    signed.verify().ends_with(0);
    let auditor = ["record", "verify", "--trust", &old];
    signed.site.run(&auditor).ends_with(9);
}

#[test]
fn a_key_is_never_overwritten_shown_or_readable_by_others() {
    let signed = Signed::new();
    let key = signed.operators("record.key");
    let text = fs::read_to_string(&key).unwrap();
    let again = signed.site.run(&["record", "keygen", "--out", &key]).ends_with(1);
    assert_eq!(fs::read_to_string(&key).unwrap(), text);
    let secret = text.lines().nth(1).unwrap();
    assert!(!again.text().contains(secret));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let run = signed.run(&[]).ends_with(2);
    assert!(run.err.contains("others than its owner may use it"), "{}", run.err);
}

#[test]
fn a_witness_inside_the_state_folder_is_refused() {
    let signed = Signed::new();
    signed.operator("record: {sign_with: record.key, witness: ../state/witness}");
    let run = signed.run(&[]).ends_with(2);
    assert!(run.err.contains("inside the state folder"), "{}", run.err);
}

const LEAVERS: [&str; 3] = ["eilidh", "farid", "gudrun"];

fn leave(site: &Site) {
    for login in LEAVERS {
        site.edit_person(login, |entry| format!("{entry}\naccountStatus: inactive"));
    }
}

/// So many at once are not believed either: that is approved, too, `again` after a run that was.
fn come_back(site: &Site, again: &str) {
    for login in LEAVERS {
        site.edit_person(login, |entry| entry.replace("\naccountStatus: inactive", ""));
    }
    let digest = site.run(&["--dry-run"]).ends_with(3).digest();
    let back = site.run(&["--approve", &format!("{digest}{again}")]).ends_with(0);
    assert!(back.out.contains("restore user"), "{}", back.out);
}

#[test]
fn an_approval_that_was_used_is_refused_although_the_plan_is_the_same_again() {
    let site = Site::applied();
    leave(&site);
    let digest = site.run(&["--dry-run"]).ends_with(3).digest();
    site.run(&["--approve", &digest]).ends_with(0);
    come_back(&site, "");
    leave(&site);
    assert_eq!(site.run(&["--dry-run"]).ends_with(3).digest(), digest, "the same plan again");
    let run = site.run(&["--approve", &digest]).ends_with(3);
    assert!(run.err.contains("run 2 has used this approval"), "{}", run.err);
    let cloud = site.world().describe().unwrap();
    assert!(LEAVERS.iter().all(|login| {
        cloud.iter().any(|line| line.contains(&format!("user {login} enabled=true")))
    }));
    // Whoever has looked says so, once more.
    let again = format!("{digest}:2");
    site.run(&["--approve", &format!("{digest}:1")]).ends_with(3);
    site.run(&["--approve", &again]).ends_with(0);
    come_back(&site, ":3");
    leave(&site);
    site.run(&["--approve", &again]).ends_with(3);
}

#[test]
fn an_approval_does_not_come_back_with_an_emptied_or_damaged_record() {
    let site = Site::applied();
    leave(&site);
    let digest = site.run(&["--dry-run"]).ends_with(3).digest();
    fs::remove_dir_all(site.state().join("records")).unwrap();
    let run = site.run(&["--approve", &digest]).ends_with(3);
    assert!(run.err.contains("there is no run on record yet"), "{}", run.err);
    site.run(&["--approve", &digest]).ends_with(0);
    come_back(&site, "");
    leave(&site);
    // The file of the run that used it is gone.
    let file = fs::read_dir(site.state().join("records"))
        .unwrap()
        .map(|one| one.unwrap().path())
        .find(|path| path.to_string_lossy().contains("/000002-"))
        .unwrap();
    fs::remove_file(file).unwrap();
    let run = site.run(&["--approve", &digest]).ends_with(3);
    assert!(run.err.contains("the run record does not verify"), "{}", run.err);
}

#[test]
fn a_saved_plan_is_carried_out_once() {
    let site = Site::applied();
    site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
    site.run(&["plan", "--out", "../plan.json"]).ends_with(0);
    site.run(&["apply", "../plan.json"]).ends_with(0);
    site.edit_person("tomasz", |entry| entry.replace("\nsupplementaryGid: mirrors", ""));
    site.run(&[]).ends_with(0);
    site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
    let run = site.run(&["apply", "../plan.json"]).ends_with(7);
    assert!(run.err.contains("run 2 has carried it out"), "{}", run.err);
    site.run(&["plan", "--out", "../plan.json"]).ends_with(0);
    site.run(&["apply", "../plan.json"]).ends_with(0);
}

#[test]
fn a_full_disk_says_how_many_changes_were_made_and_which_were_not() {
    let program = env!("CARGO_BIN_EXE_reconcile");
    let all = 136;
    let mut stopped = 0;
    for blocks in [100, 230, 330] {
        let site = Site::new();
        let state = site.state();
        let line =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} --state {}", state.display());
        let run = ran(&mut site.shell(&line));
        assert_ne!(run.code, Some(0), "{blocks}: {}", run.text());
        let made = site.world().describe().unwrap().len();
        if run.err.contains("the run stopped, because it could not be recorded") {
            stopped += 1;
            let word = format!(": {made} of {all} changes were made, {} were not", all - made);
            assert!(run.err.contains(&word), "{blocks}: {made}: {}", run.text());
            assert!(run.err.contains("make room in"), "{}", run.err);
            let undone = ["skipped  ", "failed   "];
            let told = run.out.lines().filter(|line| undone.iter().any(|one| line.contains(one)));
            assert!(told.count() >= all - made, "every one is named: {}", run.out);
        }
        site.run(&[]).ends_with(0);
        site.run(&["record", "verify"]).ends_with(0);
    }
    assert!(stopped > 0, "the record was never what was full");
}
