//! Targets: the operator's file, and the addresses of servers in it and in the inventory.

use std::path::Path;

use super::{Server, Unusable, parse};
use crate::fuzzing::{Target, text};

#[test]
fn operator_file() {
    let words = &[
        "secrets:\n",
        "trust:\n",
        "servers:\n",
        "sinks:\n",
        "file: ",
        "environment: ",
        "command: ",
        "[ldaps://ldap.example.org]",
        "/srv/organisation/x",
        "../",
        "\n  ",
        "name:\n",
        "store:\n",
        "- ",
        ": ",
    ];
    let (file, folder) = (Path::new("/etc/reconcile/operator.yaml"), Path::new("/etc/reconcile"));
    let repository = Path::new("/srv/organisation");
    Target::new("operator_file").words(words).memory(1 << 20, 1 << 10).run(|input| {
        let read = parse(file, folder, repository, input);
        match &read {
            Ok(operator) => {
                let secrets = operator.secrets.values();
                // Every secret is for servers that are named, none for all.
                assert!(secrets.clone().all(|secret| !secret.servers.is_empty()));
                let sum = operator.secrets.len() + operator.trust.len() + operator.sinks.len();
                (sum.min(4), Vec::new())
            }
            Err(Unusable::Mistakes { findings, .. }) => {
                assert!(!findings.is_empty() && findings.len() <= 20 + input.len());
                let mut codes: Vec<_> = findings.iter().map(|one| one.code.clone()).collect();
                codes.dedup();
                (usize::MAX, codes)
            }
            Err(other) => panic!("its content has mistakes, and nothing else: {other}"),
        }
    });
}

#[test]
fn server_address() {
    let words = &[
        "ldaps://",
        "https://",
        "http://",
        "ldapi://%2F",
        "[::1]",
        "127.0.0.1",
        "localhost",
        ":636",
        "@",
        "/",
        "%",
    ];
    Target::new("server_address").words(words).memory(16 << 10, 32).run(|input| {
        let text = text(input);
        let Ok((server, path)) = Server::parse_with_path(&text) else { return 0 };
        assert!(text.ends_with(path) && (path.is_empty() || path.starts_with('/')));
        // Written as it was understood, it is the same server.
        let written = server.to_string();
        assert_eq!(Server::parse(&written), Ok(server.clone()), "{written}");
        1 + u8::from(server.is_this_machine()) + 2 * u8::from(server.speaks_ldap())
    });
}
