//! Files below `mirrors/`, and everything that can be wrong with them.

use std::collections::BTreeMap;

use reconcile::inventory::{SourceTree, load, read_folder};
use reconcile::mirrors::{Authority, Delegation, Form, Mirror, Size, against_directory};
use reconcile::model::{Directory, DirectoryGroup, MirrorName, Missing, Reading, Source};

use super::{ORGANISATION, POLICIES, TODAY, as_shown, codes, loaded, shown, vendor};

const FILE: &str = "mirrors/m.yaml";
const KEYS: (&str, &str) = ("mirrors/keys.asc", "");

const MIRROR: &str = "\
mirrors:
  debian:
    account: mirror
    form: cdn
    archive:
      upstream: {host: rsync.example.org, module: debian}
      suites: [trixie, bookworm/updates]
      keyring: mirrors/keys.asc
      fresh_hours: 12
    regions:
      europe: {servers: 2, size: small}
      north-america: {servers: 1, size: large}
    name: debian.${vendor}.mirror.example.org
    parent_zone: {name: mirror.example.org, by: delegation}
    image: debian-13
    disk_gb: 200
    operators: people:admins
    ceiling: {amount: 300, currency: EUR}
";

/// The mirror with other text in place of some.
fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(MIRROR.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

fn of(text: &str) -> Mirror {
    let loaded = loaded(&[KEYS, (FILE, text)]);
    assert_eq!(loaded.findings, []);
    loaded.topology.mirrors["debian"].clone()
}

#[test]
fn a_mirror_is_what_is_written() {
    let mirror = of(MIRROR);
    assert_eq!((mirror.name.as_str(), mirror.account.as_str()), ("debian", "mirror"));
    assert_eq!((mirror.form, mirror.certificate), (Form::Cdn, Authority::Vendor));
    assert_eq!(mirror.public_name.as_str(), "debian.memory.mirror.example.org");
    assert_eq!(mirror.parent_zone.name.as_str(), "mirror.example.org");
    assert_eq!(mirror.parent_zone.by, Delegation::Delegation);
    assert_eq!((mirror.image.as_str(), mirror.disk_gb), ("debian-13", 200));
    assert_eq!(mirror.operators.to_string(), "people:admins");
    assert_eq!((mirror.ceiling.amount, mirror.ceiling.currency.as_str()), (300, "EUR"));
    let archive = &mirror.archive;
    assert_eq!(
        (archive.upstream.host.as_str(), &*archive.upstream.module),
        ("rsync.example.org", "debian")
    );
    assert_eq!((&*archive.keyring, archive.fresh_hours), ("mirrors/keys.asc", 12));
    assert!(archive.suites.iter().eq(["bookworm/updates", "trixie"]));
    let regions: Vec<_> = mirror
        .regions
        .iter()
        .map(|(name, region)| (name.as_str(), region.servers, region.size))
        .collect();
    assert_eq!(regions, [("europe", 2, Size::Small), ("north-america", 1, Size::Large)]);
    assert_eq!(mirror.source, Source::new(FILE, 2, 3));
    assert_eq!(mirror.regions["europe"].source, Source::new(FILE, 11, 7));
}

#[test]
fn what_may_be_otherwise_is() {
    let mirror = of(&with(&[
        ("cdn", "regional"),
        ("by: delegation}", "by: hand-off}\n    certificate: {by: acme}"),
        ("people:admins", "admins"),
        ("debian.${vendor}.mirror", "debian.mirror"),
        ("debian-13", "ubuntu-26.04"),
    ]));
    assert_eq!((mirror.form, mirror.certificate), (Form::Regional, Authority::Acme));
    assert_eq!(mirror.parent_zone.by, Delegation::HandOff);
    assert_eq!(mirror.public_name.as_str(), "debian.mirror.example.org");
    assert_eq!(mirror.image.as_str(), "ubuntu-26.04");
    let record = of(&with(&[("by: delegation}", "by: record}\n    certificate: {}")]));
    assert_eq!(
        (record.parent_zone.by, record.certificate),
        (Delegation::Record, Authority::Vendor)
    );
}

#[test]
fn a_file_holds_any_number_and_an_organisation_needs_none() {
    let second =
        with(&[("mirrors:\n", ""), ("  debian:\n", "  other:\n"), ("debian.$", "other.$")]);
    let both = loaded(&[KEYS, (FILE, &format!("{MIRROR}{second}"))]);
    assert_eq!((both.findings.len(), both.topology.mirrors.len()), (0, 2));
    let apart = format!("mirrors:\n{second}");
    let apart = loaded(&[KEYS, (FILE, MIRROR), ("mirrors/deep/er/other.yml", &apart)]);
    assert_eq!(
        apart.topology.mirrors.keys().map(MirrorName::as_str).collect::<Vec<_>>(),
        ["debian", "other"]
    );
    assert_eq!(codes(&[(FILE, "mirrors: {}\n")]), [] as [&str; 0]);
    assert_eq!(codes(&[(FILE, "# nothing\n")]), ["empty-file"]);
}

#[test]
fn each_mistake_is_told_where_it_is() {
    let mut wrong = Vec::new();
    for (old, new, told) in [
        ("account: mirror", "account: miror", "14 unknown-account did you mean `mirror`?"),
        ("form: cdn", "form: cnd", "11 unknown-value did you mean `cdn`?"),
        ("rsync.example.org", "RSYNC", "24 bad-host-name"),
        ("module: debian", "module: ../x", "51 bad-module"),
        ("module: debian", "module: -x", "51 bad-module"),
        ("[trixie, bookworm/updates]", "[]", "15 nothing-to-serve"),
        ("trixie, ", "\"../x\", ", "16 bad-suite"),
        ("trixie, ", "\"a b\", ", "16 bad-suite"),
        ("trixie, ", "trixie, trixie, ", "24 duplicate-value"),
        ("keys.asc", "keis.asc", "16 unknown-keyring did you mean `mirrors/keys.asc`?"),
        ("mirrors/keys.asc", "inventory/base.yaml", "16 unknown-keyring"),
        ("mirrors/keys.asc", "mirrors/../mirrors/keys.asc", "16 unknown-keyring"),
        ("fresh_hours: 12", "fresh_hours: 0", "20 out-of-range from 1 to 744"),
        ("fresh_hours: 12", "fresh_hours: many", "20 wrong-kind"),
        ("europe:", "Europe:", "7 bad-name"),
        ("servers: 2", "servers: 0", "25 out-of-range from 1 to 50"),
        ("servers: 2", "servers: -1", "25 wrong-kind"),
        ("servers: 2", "servers: 2, zone: eu-1", "28 unknown-key"),
        ("size: small", "size: smal", "34 unknown-value did you mean `small`?"),
        ("${vendor}", "${vender}", "11 unknown-placeholder"),
        ("name: debian.${vendor}.", "name: debian..", "11 bad-host-name"),
        ("name: debian.${vendor}.", "name: ", "11 not-in-zone"),
        ("name: debian.${vendor}.", "name: debian.my", "11 not-in-zone"),
        ("by: delegation", "by: delegating", "49 unknown-value"),
        ("by: delegation", "by: hand_off", "49 unknown-value did you mean `hand-off`?"),
        ("image: debian-13", "image: trixie", "12 bad-image"),
        ("image: debian-13", "image: ami-0123456789", "12 bad-image"),
        ("disk_gb: 200", "disk_gb: 9", "14 out-of-range from 10 to 65536"),
        ("people:admins", "poeple:admins", "16 unknown-directory did you mean `people`?"),
        ("people:admins", "\"people:\"", "16 bad-group"),
        ("amount: 300", "amount: 0", "23 out-of-range at least 1"),
        ("EUR", "euro", "38 bad-currency"),
    ] {
        let text = with(&[(old, new)]);
        let loaded = loaded(&[KEYS, (FILE, &text)]);
        let findings: Vec<String> = loaded
            .findings
            .iter()
            .map(|finding| {
                let source = finding.source.as_ref().unwrap();
                assert_eq!(&*source.file, FILE);
                let hint = finding.hint.as_deref().unwrap_or_default();
                format!("{} {} {hint}", source.column, finding.code)
            })
            .collect();
        if findings.len() != 1 || !findings[0].starts_with(told) {
            wrong.push(format!("{new}: {told}: {findings:?}"));
        }
        // A key too many leaves the rest as it is, and the error keeps anything from being done.
        let is_made = !loaded.topology.mirrors.is_empty();
        if !loaded.has_errors() || is_made != told.ends_with("unknown-key") {
            wrong.push(format!("{new}: is made: {is_made}"));
        }
    }
    assert_eq!(wrong, [] as [String; 0], "{wrong:#?}");
}

#[test]
fn what_is_missing_is_told_all_at_once() {
    let text = "mirrors:\n  debian: {certificate: {}}\n";
    assert_eq!(codes(&[(FILE, text)]), ["missing-key"; 10]);
    let text = with(&[
        ("{servers: 2, size: small}", "{}"),
        ("upstream: {host: rsync.example.org, module: debian}", "upstream: {}"),
    ]);
    assert_eq!(codes(&[KEYS, (FILE, &text)]), ["missing-key"; 4]);
    let regions = "regions:\n      europe: {servers: 2, size: small}\n      north-america: {servers: 1, size: large}";
    assert_eq!(codes(&[KEYS, (FILE, &with(&[(regions, "regions: {}")]))]), ["no-region"]);
}

#[test]
fn a_finding_shows_its_line() {
    insta::assert_snapshot!(
        "mirrors_shown",
        shown(&[
            KEYS,
            (
                FILE,
                &with(&[
                    ("account: mirror", "account: miror"),
                    ("servers: 2", "servers: 0"),
                    ("debian.$", "Debian.$")
                ])
            ),
        ])
    );
}

#[test]
fn names_are_taken_once() {
    let twice = loaded(&[KEYS, (FILE, MIRROR), ("mirrors/n.yaml", MIRROR)]);
    let told: Vec<String> =
        twice.findings.iter().map(|one| format!("{} {:?}", one.code, one.hint)).collect();
    assert_eq!(told, ["duplicate-name Some(\"the first definition is in mirrors/m.yaml:2\")"]);
    let other = with(&[("  debian:\n", "  another:\n")]);
    let same = loaded(&[KEYS, (FILE, MIRROR), ("mirrors/n.yaml", &other)]);
    let told: Vec<String> = same
        .findings
        .iter()
        .map(|one| format!("{} {}", one.source.as_ref().unwrap(), one.code))
        .collect();
    assert_eq!(told, ["mirrors/n.yaml:2 name-taken"]);
    // The same text at another vendor is another name.
    assert_eq!(
        same.findings[0].message,
        "`debian` has the public name `debian.memory.mirror.example.org`"
    );
}

#[test]
fn an_account_with_mistakes_is_not_told_twice() {
    let organisation = ORGANISATION.replace("id: 000000000002", "id: nothing");
    let files = [
        ("inventory/base.yaml", &*organisation),
        ("policies/base.yaml", POLICIES),
        KEYS,
        (FILE, MIRROR),
    ];
    let tree = SourceTree::from_files(files);
    let loaded = load(&tree, &vendor::vendors(), TODAY);
    let shown = as_shown(&loaded.findings, &tree);
    assert!(shown.contains("account-id") && !shown.contains(FILE), "{shown}");
    assert!(loaded.topology.mirrors.is_empty());
}

#[test]
fn operators_are_a_group_of_their_directory() {
    let loaded = loaded(&[KEYS, (FILE, MIRROR)]);
    let (topology, inventory) = (&loaded.topology, &loaded.inventory);
    let directory = |group: &str| Directory {
        name: "people".into(),
        people: Vec::new(),
        groups: vec![DirectoryGroup::named(group)],
        unclear: Vec::new(),
        warnings: Vec::new(),
        hidden: Vec::new(),
        time: None,
    };
    let told = |reading: Reading<Directory>| {
        let findings =
            against_directory(topology, inventory, &BTreeMap::from([("people".into(), reading)]));
        findings.into_iter().map(|one| format!("{} {:?}", one.code, one.hint)).collect::<Vec<_>>()
    };
    assert_eq!(
        told(Reading::Complete(directory("admin"))),
        ["unknown-in-directory Some(\"did you mean `people:admin`?\")"]
    );
    assert_eq!(told(Reading::Complete(directory("admins"))), [] as [String; 0]);
    let missing = Missing::new("groups", "nobody answered");
    assert_eq!(told(Reading::partial(directory("admin"), missing)), [] as [String; 0]);
    assert!(against_directory(topology, inventory, &BTreeMap::new()).is_empty());
}

#[test]
fn the_example_of_the_folder_is_in_order_and_says_all_there_is() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("mirrors/README.md")).unwrap();
    let example = text.split("```").nth(1).unwrap().strip_prefix("yaml\n").unwrap();
    let mut tree = read_folder(root);
    tree.files.insert("mirrors/debian.yaml".to_owned(), example.as_bytes().to_vec());
    let loaded = load(&tree, &vendor::vendors(), TODAY);
    assert_eq!(loaded.findings, []);
    assert_eq!(loaded.topology.mirrors.len(), 1);
    let schema = reconcile::mirrors::schema().to_value();
    for part in ["Mirror", "Archive", "Upstream", "Region", "ParentZone", "Certificate", "Ceiling"]
    {
        for key in schema["$defs"][part]["properties"].as_object().unwrap().keys() {
            assert!(
                example.contains(&format!("{key}: ")) || example.contains(&format!("{key}:\n"))
            );
        }
    }
}
