//! Where a path leads, and who could change that on the way.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use crate::file::is_trusted;

/// Links followed before it counts as a circle; as Linux does.
const MOST_LINKS: usize = 40;

/// The way to a file: every place that decides where it ends.
#[derive(Debug)]
pub(crate) struct Way {
    /// Where it ends, without any link.
    pub(crate) end: PathBuf,
    /// Every folder and every link on the way, the end included as far as it exists.
    passed: Vec<PathBuf>,
    /// The links among them.
    links: Vec<PathBuf>,
}

/// Follows a path, link by link.
///
/// # Errors
/// Something on the way cannot be looked at. What does not exist ends the way without an error.
pub(crate) fn follow(path: &Path) -> io::Result<Way> {
    let mut ahead: VecDeque<OsString> = parts(&std::path::absolute(path)?).collect();
    let mut way =
        Way { end: PathBuf::from("/"), passed: vec![PathBuf::from("/")], links: Vec::new() };
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            // What was passed so far is free of links, so this is the folder above it.
            way.end.pop();
            continue;
        }
        let next = way.end.join(&part);
        let is_link = match fs::symlink_metadata(&next) {
            Ok(metadata) => metadata.is_symlink(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                way.end = next;
                way.end.extend(ahead);
                return Ok(way);
            }
            Err(error) => return Err(error),
        };
        way.passed.push(next.clone());
        if !is_link {
            way.end = next;
            continue;
        }
        way.links.push(next.clone());
        if way.links.len() > MOST_LINKS {
            return Err(io::Error::other("there are too many links on the way"));
        }
        let target = fs::read_link(&next)?;
        if target.is_absolute() {
            way.end = PathBuf::from("/");
        }
        for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
            ahead.push_front(part);
        }
    }
    Ok(way)
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

impl Way {
    /// Whether it begins, ends or passes below a folder.
    pub(crate) fn touches(&self, folder: &Path) -> bool {
        self.end.starts_with(folder) || self.passed.iter().any(|place| place.starts_with(folder))
    }

    /// The first link on the way that lies below a folder.
    pub(crate) fn link_below(&self, folder: &Path) -> Option<&Path> {
        self.links.iter().map(PathBuf::as_path).find(|place| place.starts_with(folder))
    }

    /// The first place on the way that somebody else could put something else into, and why. As
    /// `sshd` asks of the files it trusts (`StrictModes`), except that a folder of everybody's with
    /// the sticky bit, such as `/tmp`, is good enough: there nobody replaces what is not theirs.
    pub(crate) fn open_to_others(&self) -> io::Result<Option<(&Path, String)>> {
        for place in &self.passed {
            let metadata = fs::symlink_metadata(place)?;
            if !is_trusted(metadata.uid()) {
                let why = format!("belongs to uid {}, not to you or to root", metadata.uid());
                return Ok(Some((place, why)));
            }
            let mode = metadata.mode();
            let others = mode & 0o002 != 0 || (mode & 0o020 != 0 && metadata.gid() != 0);
            if metadata.is_dir() && others && mode & 0o1000 == 0 {
                let why = format!("may be written to by others (mode {:04o})", mode & 0o7777);
                return Ok(Some((place, why)));
            }
        }
        Ok(None)
    }
}

/// What a merge request can change: the work tree of git around the root, or the root alone where
/// there is none. Without any link.
pub(crate) fn repository(root: &Path) -> PathBuf {
    let root = fs::canonicalize(root)
        .or_else(|_| follow(root).map(|way| way.end))
        .unwrap_or_else(|_| root.to_path_buf());
    let top = root.ancestors().find(|folder| fs::symlink_metadata(folder.join(".git")).is_ok());
    top.map_or_else(|| root.clone(), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn every_link_on_the_way_counts() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let base = fs::canonicalize(folder.path())?;
        let at = |name: &str| base.join(name);
        for name in ["repository", "repository/sub", "outside", "outside/real", "beside"] {
            fs::create_dir(at(name))?;
        }
        fs::write(at("outside/real/file"), "")?;
        fs::write(at("repository/file"), "")?;
        // Into the repository, out of it, and through it.
        symlink(at("repository/file"), at("outside/into"))?;
        symlink(at("outside/real/file"), at("repository/out"))?;
        symlink(at("outside/real"), at("repository/sub/out"))?;
        symlink("../repository/sub", at("beside/through"))?;
        symlink("circle", at("beside/circle"))?;
        let repository = at("repository");
        for (path, touches) in [
            ("outside/real/file", false),
            ("outside/../outside/real/file", false),
            ("outside/missing/file", false),
            ("repository/../outside/real/file", true),
            ("repository/file", true),
            ("repository/missing", true),
            ("outside/into", true),
            ("repository/out", true),
            ("beside/through/out/file", true),
            ("repository-2/file", false),
        ] {
            assert_eq!(follow(&at(path))?.touches(&repository), touches, "{path}");
        }
        assert_eq!(follow(&at("beside/through/out/file"))?.end, at("outside/real/file"));
        assert!(follow(&at("beside/circle")).is_err());
        Ok(())
    }

    #[test]
    fn a_folder_others_can_write_to_is_found_wherever_it_is() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b"))?;
        fs::write(at("a/b/file"), "")?;
        let open = |mode: u32| -> io::Result<bool> {
            fs::set_permissions(at("a"), Permissions::from_mode(mode))?;
            Ok(follow(&at("a/b/file"))?.open_to_others()?.is_some())
        };
        assert!(!open(0o755)? && !open(0o700)? && !open(0o1777)?);
        assert!(open(0o777)? && open(0o757)?);
        Ok(())
    }

    #[test]
    fn the_repository_is_the_work_tree_around_the_root() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let base = fs::canonicalize(folder.path())?;
        fs::create_dir_all(base.join("tree/organisation"))?;
        assert_eq!(repository(&base.join("tree/organisation")), base.join("tree/organisation"));
        fs::write(base.join("tree/.git"), "gitdir: elsewhere")?;
        assert_eq!(repository(&base.join("tree/organisation")), base.join("tree"));
        Ok(())
    }
}
