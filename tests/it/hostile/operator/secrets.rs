//! A secret that somebody typed into the wrong place of the operator's file is shown nowhere.

use std::path::Path;

use reconcile::operator::{self, Unusable};

/// All that can be in the file, each value on a line of its own.
const WHOLE: &str = "\
secrets:
  one:
    file: ldap-password
    servers:
      - ldaps://ldap.example.org
      - https://v.example.org
  two:
    environment: VAULT_TOKEN
    servers: [ldaps://ldap.example.org]
  three:
    command:
      - pass
      - show
    servers: [ldaps://ldap.example.org]
trust:
  ca:
    file: ca.pem
    servers: [https://v.example.org]
servers:
  - ldapi://%2Frun%2Fslapd%2Fldapi
record:
  sign_with: record.key
  trusted:
    - ed25519:abababababababababababababababababababababababababababababababab
  witness: /srv/witness
sinks:
  file:
    file: /srv/keys/{service}
    services:
      - mirror-push
  command:
    command: [put]
    organisations:
      - spi
  store:
    secret_store:
      url: https://v.example.org
      mount: secret
      path: ci/{service}
      secret: one
      trust: ca
    services: [mirror-push]
";

/// A password of each sort that parses as something else.
const PLANTED: [&str; 8] = [
    "planted-3",
    "Planted 3!",
    "{planted}",
    "[planted]",
    "{key: planted}",
    "'planted{x}'",
    "https://planted",
    "https://x:planted@y",
];

/// All that is said of a file, in every form it may be shown.
fn told(text: &str) -> String {
    let folder = Path::new("/etc/reconcile");
    match operator::parse(&folder.join("x.yaml"), folder, Path::new("/repository"), text.as_bytes())
    {
        Ok(_) => String::new(),
        Err(unusable @ Unusable::Mistakes { .. }) => format!("{unusable} {unusable:?}"),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_secret_in_any_place_of_the_file_is_not_shown() {
    assert_eq!(told(WHOLE), "");
    let lines: Vec<&str> = WHOLE.lines().collect();
    let mut refused = 0;
    for (number, line) in lines.iter().enumerate() {
        let begins = line.find(": ").map(|at| at + 2).or_else(|| Some(line.find("- ")? + 2));
        // In the place of a value, and of all that stands below a key.
        let begins = begins.or_else(|| line.ends_with(':').then_some(line.len()));
        let begin = &line[..begins.expect("a key or an item")];
        for planted in PLANTED {
            let indent = line.len() - line.trim_start().len();
            let is_below = |other: &&&str| other.len() - other.trim_start().len() > indent;
            let below = lines[number + 1..].iter().take_while(is_below).count();
            let mut changed: Vec<String> = lines.iter().map(|one| (*one).to_owned()).collect();
            let put = format!("{} {planted}", begin.trim_end());
            changed.splice(number..=number + below, [put]);
            let said = told(&changed.join("\n"));
            assert!(!said.to_lowercase().contains("planted"), "{planted} in {line}: {said}");
            refused += usize::from(!said.is_empty());
        }
    }
    assert!(refused > 150, "{refused} of these were mistakes");
}
