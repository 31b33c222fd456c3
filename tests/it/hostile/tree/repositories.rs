//! Repositories that would run a command or lead elsewhere. Whatever is planted, reading them runs
//! nothing, and the answer is right or an error that says why.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use reconcile::git::GitError;
use reconcile::inventory::{FileThen, read_folder, read_revision, read_revision_file};
use reconcile::record::{InputVersion, input_version};
use tempfile::TempDir;

use crate::inventory::files::{organisation, write};

const FOLDERS: [&str; 3] = ["inventory", "policies", "mirrors"];

/// The plain git of whoever sets the trap.
fn git(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["-c", "user.name=Mallory", "-c", "user.email=mallory@example.org"])
        .args(["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// An organisation in a repository, and a program that leaves a trace when it runs.
struct Trap {
    folder: TempDir,
    outside: TempDir,
}

impl Trap {
    fn new() -> Self {
        let trap = Self { folder: organisation(), outside: TempDir::new().unwrap() };
        write(trap.root(), "inventory/people.ldif", "dn: dc=example\nobjectClass: top\n");
        git(trap.root(), &["init", "-q", "-b", "main"]);
        let program = trap.program();
        let text = format!("#!/bin/sh\ntouch '{}'\ncat\n", trap.marker().display());
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        trap.commit();
        trap
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn program(&self) -> PathBuf {
        self.outside.path().join("program")
    }

    fn marker(&self) -> PathBuf {
        self.outside.path().join("it-ran")
    }

    fn commit(&self) {
        git(self.root(), &["add", "-A"]);
        git(self.root(), &["commit", "-q", "--allow-empty", "-m", "a state"]);
    }

    /// Settings as a contributor would change them: in a file of the tree that the repository's
    /// own settings include.
    fn settings(&self, text: &str) {
        let text = text.replace("PROGRAM", &self.program().display().to_string());
        write(self.root(), ".gitconfig", text);
        git(self.root(), &["config", "include.path", "../.gitconfig"]);
    }

    /// Reads in every way there is: base and head, a file of people, which state it is.
    fn is_read_as_it_is(&self) {
        let now = read_folder(self.root()).files;
        assert_eq!(read_revision(self.root(), "HEAD").unwrap().files, now, "base, head");
        let then = fs::read(self.root().join("inventory/people.ldif")).unwrap();
        assert_eq!(self.people().unwrap(), FileThen::Content(then.clone()));
        match input_version(self.root(), &FOLDERS) {
            InputVersion::Commit { dirty, .. } => assert!(!dirty),
            InputVersion::Unknown { why } => panic!("{why}"),
        }
        // And when a file is another one, as a look at the work tree would have to find out.
        write(self.root(), "inventory/people.ldif", "dn: dc=example\nobjectClass: two\n");
        assert_eq!(self.people().unwrap(), FileThen::Content(then));
        assert!(matches!(
            input_version(self.root(), &FOLDERS),
            InputVersion::Commit { dirty: true, .. }
        ));
        self.has_run_nothing();
    }

    /// The file of people as it was.
    fn people(&self) -> Result<FileThen, GitError> {
        read_revision_file(self.root(), "HEAD", Path::new("inventory/people.ldif"), 1 << 20)
    }

    fn has_run_nothing(&self) {
        assert!(!self.marker().exists(), "a planted program ran");
    }

    /// Refused by every reader, with these words.
    fn is_refused(&self, words: &str) {
        let error = read_revision(self.root(), "HEAD").unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(self.people().is_err());
        match input_version(self.root(), &FOLDERS) {
            InputVersion::Unknown { why } => assert!(why.contains(words), "{why}"),
            InputVersion::Commit { commit, .. } => panic!("{commit}"),
        }
        self.has_run_nothing();
    }
}

#[test]
fn the_trap_works_on_a_careless_caller() {
    let trap = Trap::new();
    trap.settings("[core]\n\tfsmonitor = PROGRAM\n");
    write(trap.root(), "inventory/base.yaml", "projects: {}\n");
    Command::new("git").arg("-C").arg(trap.root()).arg("status").output().unwrap();
    assert!(trap.marker().exists());
}

macro_rules! settings_that_would_run_a_program {
    ($($name:ident: $settings:expr;)*) => {$(
        #[test]
        fn $name() {
            let trap = Trap::new();
            trap.settings($settings);
            write(trap.root(), ".gitattributes", "* filter=evil diff=evil\n");
            trap.is_read_as_it_is();
        }
    )*};
}

settings_that_would_run_a_program! {
    a_file_system_monitor: "[core]\n\tfsmonitor = PROGRAM\n";
    a_filter_of_contents: "[filter \"evil\"]\n\tclean = PROGRAM\n\tsmudge = PROGRAM\n\trequired = true\n";
    a_filter_that_stays: "[filter \"evil\"]\n\tprocess = PROGRAM\n\trequired = true\n";
    an_external_difference: "[diff]\n\texternal = PROGRAM\n[diff \"evil\"]\n\tcommand = PROGRAM\n";
    a_text_conversion: "[diff \"evil\"]\n\ttextconv = PROGRAM\n\tcachetextconv = true\n";
    a_pager: "[core]\n\tpager = PROGRAM\n[pager]\n\tls-tree = PROGRAM\n\tcat-file = PROGRAM\n\trev-parse = PROGRAM\n";
    an_alias: "[alias]\n\tls-tree = !PROGRAM\n\tcat-file = !PROGRAM\n\trev-parse = !PROGRAM\n";
    a_signature_check: "[gpg]\n\tprogram = PROGRAM\n[log]\n\tshowSignature = true\n";
    a_credential_helper: "[credential]\n\thelper = PROGRAM\n[core]\n\taskPass = PROGRAM\n\tsshCommand = PROGRAM\n";
    objects_borrowed_by_command: "[core]\n\talternateRefsCommand = PROGRAM\n";
}

#[test]
fn hooks_in_the_tree() {
    let trap = Trap::new();
    for hook in ["post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc"]
    {
        fs::create_dir_all(trap.root().join("hooks")).unwrap();
        fs::copy(trap.program(), trap.root().join("hooks").join(hook)).unwrap();
    }
    trap.settings("[core]\n\thooksPath = hooks\n");
    trap.is_read_as_it_is();
}

#[test]
fn a_work_tree_somewhere_else() {
    let trap = Trap::new();
    write(trap.outside.path(), "inventory/other.yaml", "projects: {other: {}}\n");
    let elsewhere = trap.outside.path().display();
    trap.settings(&format!("[core]\n\tworktree = {elsewhere}\n"));
    trap.is_read_as_it_is();
}

#[test]
fn a_bare_repository_in_the_tree() {
    let trap = Trap::new();
    // The root is a folder of the repository, and looks like a repository itself.
    let part = trap.root().join("part");
    fs::create_dir(&part).unwrap();
    for folder in ["inventory", "policies"] {
        fs::rename(trap.root().join(folder), part.join(folder)).unwrap();
    }
    trap.commit();
    let honest = read_folder(&part).files;
    git(&part, &["init", "-q", "--bare", "."]);
    let settings = format!(
        "[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = {0}\n\tpager = {0}\n",
        trap.program().display()
    );
    fs::write(part.join("config"), settings).unwrap();
    assert_eq!(read_revision(&part, "HEAD").unwrap().files, honest);
    // And one below inventory/, where nobody looks.
    git(&part.join("inventory"), &["init", "-q", "--bare", "evil"]);
    assert_eq!(read_revision(&part, "HEAD").unwrap().files, honest);
    trap.has_run_nothing();
}

#[test]
fn a_git_file_that_points_into_the_tree() {
    let trap = Trap::new();
    fs::rename(trap.root().join(".git"), trap.root().join("inventory/evil.git")).unwrap();
    fs::write(trap.root().join(".git"), "gitdir: inventory/evil.git\n").unwrap();
    trap.is_refused("does not point back");
    // Nor does one that points to any repository of the machine.
    let other = Trap::new();
    fs::write(trap.root().join(".git"), format!("gitdir: {}/.git\n", other.root().display()))
        .unwrap();
    trap.is_refused("does not point back");
    for text in ["", "gitdir: ", "gitdir: nowhere", "something else"] {
        fs::write(trap.root().join(".git"), text).unwrap();
        trap.is_refused("it points");
    }
}

#[test]
fn a_git_link_and_a_git_pipe() {
    let trap = Trap::new();
    let dot_git = trap.root().join(".git");
    fs::rename(&dot_git, trap.outside.path().join("repository")).unwrap();
    std::os::unix::fs::symlink(trap.outside.path().join("repository"), &dot_git).unwrap();
    trap.is_refused("neither a folder nor a file");
    fs::remove_file(&dot_git).unwrap();
    super::links::pipe(&dot_git);
    trap.is_refused("neither a folder nor a file");
}

#[test]
fn several_work_trees_and_submodules_are_read() {
    let trap = Trap::new();
    let other = trap.outside.path().join("second");
    git(trap.root(), &["worktree", "add", "-q", other.to_str().unwrap(), "-b", "second"]);
    assert_eq!(read_revision(&other, "HEAD").unwrap().files, read_folder(&other).files);
    let whole = trap.outside.path().join("whole");
    fs::create_dir(&whole).unwrap();
    git(&whole, &["init", "-q"]);
    let from = trap.root().to_str().unwrap();
    git(&whole, &["submodule", "--quiet", "add", from, "part"]);
    let part = whole.join("part");
    assert_eq!(read_revision(&part, "HEAD").unwrap().files, read_folder(&part).files);
    trap.has_run_nothing();
}

#[test]
fn objects_of_another_repository() {
    let trap = Trap::new();
    let other = Trap::new();
    let objects = other.root().join(".git/objects");
    let info = trap.root().join(".git/objects/info");
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("alternates"), format!("{}\n", objects.display())).unwrap();
    trap.is_refused("borrows objects");
}

#[test]
fn objects_replaced_by_others() {
    let trap = Trap::new();
    let honest = git(trap.root(), &["rev-parse", "HEAD"]);
    let now = read_folder(trap.root()).files;
    write(trap.root(), "inventory/base.yaml", "projects: {}\n");
    trap.commit();
    let evil = git(trap.root(), &["rev-parse", "HEAD"]);
    git(trap.root(), &["reset", "-q", "--hard", &honest]);
    git(trap.root(), &["replace", &honest, &evil]);
    let blob = git(trap.root(), &["--no-replace-objects", "rev-parse", "HEAD:policies/base.yaml"]);
    let other = git(trap.root(), &["hash-object", "-w", "policies/../inventory/base.yaml"]);
    git(trap.root(), &["replace", &blob, &other]);
    assert_eq!(read_revision(trap.root(), &honest).unwrap().files, now);
    trap.is_read_as_it_is();
}

#[test]
fn history_that_was_grafted() {
    let trap = Trap::new();
    let first = git(trap.root(), &["rev-parse", "HEAD"]);
    let now = read_folder(trap.root()).files;
    write(trap.root(), "inventory/second.yaml", "projects: {}\n");
    trap.commit();
    let second = git(trap.root(), &["rev-parse", "HEAD"]);
    git(trap.root(), &["checkout", "-q", "--orphan", "evil"]);
    write(trap.root(), "inventory/base.yaml", "projects: {}\n");
    trap.commit();
    let evil = git(trap.root(), &["rev-parse", "HEAD"]);
    git(trap.root(), &["checkout", "-q", "main"]);
    write(trap.root(), ".git/info/grafts", format!("{second} {evil}\n"));
    assert_ne!(first, evil);
    assert_eq!(read_revision(trap.root(), "HEAD~1").unwrap().files, now);
}

#[test]
fn a_partial_clone_fetches_nothing() {
    let trap = Trap::new();
    git(trap.root(), &["config", "uploadpack.allowFilter", "true"]);
    let clone = trap.outside.path().join("clone");
    let from = format!("file://{}", trap.root().display());
    let to = clone.to_str().unwrap();
    git(trap.root(), &["clone", "-q", "--no-checkout", "--filter=blob:none", &from, to]);
    for url in [format!("ext::{} %S", trap.program().display()), "ssh://example.org/x".to_owned()] {
        let settings = format!(
            "[remote \"origin\"]\n\turl = {url}\n[protocol \"ext\"]\n\tallow = always\n\
             [protocol]\n\tallow = always\n[core]\n\tsshCommand = {0}\n",
            trap.program().display()
        );
        fs::write(clone.join(".gitconfig"), settings).unwrap();
        git(&clone, &["config", "include.path", "../.gitconfig"]);
        let error = read_revision(&clone, "HEAD").unwrap_err();
        assert!(
            matches!(error, GitError::Missing(_) | GitError::Failed { .. }),
            "it can only be told: {error}"
        );
        trap.has_run_nothing();
    }
}

#[test]
fn a_submodule_in_the_folders() {
    let trap = Trap::new();
    let other = Trap::new();
    let from = other.root().to_str().unwrap();
    git(trap.root(), &["submodule", "--quiet", "add", from, "inventory/part"]);
    trap.commit();
    let settings =
        format!("[submodule \"inventory/part\"]\n\tupdate = !{}\n", trap.program().display());
    trap.settings(&settings);
    let tree = read_revision(trap.root(), "HEAD").unwrap();
    let codes: Vec<&str> = tree.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["submodule"]);
    trap.has_run_nothing();
}

#[test]
fn folders_that_are_links_or_submodules_in_a_revision() {
    let trap = Trap::new();
    fs::rename(trap.root().join("policies"), trap.root().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", trap.root().join("policies")).unwrap();
    trap.commit();
    let tree = read_revision(trap.root(), "HEAD").unwrap();
    let codes: Vec<&str> = tree.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["symbolic-link"]);
    assert!(tree.files.keys().all(|path| path.starts_with("inventory/")));
}

/// What the surroundings say to git, as the program sees it from the outside.
#[test]
fn variables_that_redirect_git() {
    let trap = Trap::new();
    let other = Trap::new();
    write(other.root(), "inventory/base.yaml", "projects: {}\n");
    other.commit();
    let (elsewhere, program) = (other.root().join(".git"), trap.program());
    let (elsewhere, program) = (elsewhere.to_str().unwrap(), program.to_str().unwrap());
    let settings = other.root().join("settings");
    fs::write(&settings, format!("[core]\n\tfsmonitor = {program}\n\tpager = {program}\n"))
        .unwrap();
    let objects = format!("{elsewhere}/objects");
    let trace = trap.marker();
    let variables: &[&[(&str, &str)]] = &[
        &[("GIT_DIR", elsewhere)],
        &[("GIT_DIR", elsewhere), ("GIT_WORK_TREE", "/")],
        &[("GIT_COMMON_DIR", elsewhere)],
        &[("GIT_OBJECT_DIRECTORY", &objects)],
        &[("GIT_ALTERNATE_OBJECT_DIRECTORIES", &objects)],
        &[("GIT_INDEX_FILE", "/dev/null")],
        &[("GIT_EXTERNAL_DIFF", program), ("GIT_PAGER", program), ("GIT_ASKPASS", program)],
        &[("GIT_SSH_COMMAND", program), ("GIT_SSH", program), ("GIT_PROXY_COMMAND", program)],
        &[
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
            ("GIT_CONFIG_VALUE_0", program),
        ],
        &[("GIT_CONFIG_GLOBAL", settings.to_str().unwrap())],
        &[("GIT_TRACE", trace.to_str().unwrap()), ("GIT_TRACE2_EVENT", trace.to_str().unwrap())],
        &[
            ("GIT_NAMESPACE", "evil"),
            ("GIT_ATTR_SOURCE", "HEAD"),
            ("GIT_SHALLOW_FILE", "/dev/null"),
        ],
        &[("GIT_CEILING_DIRECTORIES", "/"), ("GIT_EXEC_PATH", other.root().to_str().unwrap())],
    ];
    for one in variables {
        let output = Command::new(env!("CARGO_BIN_EXE_reconcile"))
            .args(["diff", "--base", "HEAD", "--head", "HEAD", "--root"])
            .arg(trap.root())
            .envs(one.iter().copied())
            .output()
            .unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // The other repository has errors in it: were it read, this would be 2.
        assert!(matches!(output.status.code(), Some(0 | 4)), "{one:?}: {out}{err}");
        trap.has_run_nothing();
    }
}
