//! Targets: what git says about a revision.

use super::{Entry, Kind, answers, listed};
use crate::fuzzing::Target;

#[test]
fn git_tree() {
    let words =
        &["100644 blob ", "120000 ", "160000 commit ", "\t", " - ", " BAD", "\0", "inventory/"];
    Target::new("git_tree").words(words).memory(16 << 10, 16).run(|input| {
        let Ok(entry) = listed(input, b"inventory/") else { return 0 };
        let end = [b"\tinventory/".as_slice(), &entry.path].concat();
        assert!(input.ends_with(&end), "the path is what stands behind the tab");
        assert!(!entry.id.contains(char::is_whitespace) && !entry.id.is_empty());
        1 + u8::from(entry.kind == Kind::File) + 2 * u8::from(entry.size > 0)
    });
}

#[test]
fn git_blob() {
    let id = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    let entry = |size| Entry { kind: Kind::File, id: id.to_owned(), size, path: b"a".to_vec() };
    let words = &["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", " blob ", " tree ", " missing", "\n"];
    Target::new("git_blob").words(words).memory(64 << 10, 16).run(|input| {
        let sizes = [6, 0];
        let entries = sizes.map(entry);
        let wanted: Vec<&Entry> = entries.iter().collect();
        let (mut rest, mut found) = (input, Vec::new());
        let read = answers(&mut rest, &wanted, &mut |number, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            assert!(bytes.len() as u64 <= sizes[number], "no more than was announced");
            found.push(bytes);
            Ok(())
        });
        if read.is_ok() {
            // Exactly what git writes for these, and nothing else.
            let text = found.iter().map(|bytes| {
                [format!("{id} blob {}\n", bytes.len()).as_bytes(), bytes, b"\n"].concat()
            });
            assert_eq!(input[..input.len() - rest.len()], text.collect::<Vec<_>>().concat());
        }
        (found.len(), read.is_ok())
    });
}
