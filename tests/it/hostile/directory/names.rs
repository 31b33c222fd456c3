//! What a directory says of people, and says back to us, does not come out.

use reconcile::directory::{Bind, LdapConfig, Origin, SchemaKind};

use crate::cli::site::Site;
use crate::directory::scripted::{element, text};
use crate::directory::{assert_partial, config, missing, read_it, server};
use crate::peers::slapd::{READER, READER_PASSWORD};

/// People of Active Directory with an oddity or a gap each.
const ODD: &str = "\
dn: CN=Max Mustermann,OU=Mustermann Family,DC=example,DC=org
objectClass: user
objectGUID:: AAECAwQFBgcICQoLDA0ODw==
sAMAccountName: max
accountExpires: soon
displayName: Max Mustermann

dn: CN=Erika Mustermann,DC=example,DC=org
objectClass: user
sAMAccountName: erika

dn: CN=Moritz Mustermann,DC=example,DC=org
objectClass: user
objectGUID:: AQECAwQFBgcICQoLDA0ODw==

dn: CN=All,DC=example,DC=org
objectClass: group
member;range=0-0: CN=Max Mustermann,OU=Mustermann Family,DC=example,DC=org

# end
";

#[test]
fn people_are_named_by_log_in_or_digest_and_by_dn_only_when_debugging() {
    let site = Site::new();
    let all = "inventory/people/freedesktop.ldif";
    let yaml = site.read("inventory/directories.yaml");
    let begins = yaml.find("  freedesktop:").expect("the directory");
    let entry = "  freedesktop:\n    ldif: inventory/people/freedesktop.ldif\n    \
                 schema: active_directory\n    base: \"DC=example,DC=org\"\n";
    site.write("inventory/directories.yaml", &format!("{}{entry}", &yaml[..begins]));
    site.write(all, ODD);
    for arguments in [&["check"][..], &["--dry-run"], &["--dry-run", "-v"], &["-v"]] {
        let said = site.run(arguments).text();
        assert!(said.contains("erika") && said.contains("(its DN: -vv)"), "{said}");
        assert!(!said.contains("Mustermann"), "{arguments:?}: {said}");
    }
    let records = crate::cli::site::files(&site.state());
    for (path, content) in &records {
        let content = String::from_utf8_lossy(content);
        assert!(!content.contains("Mustermann"), "{}", path.display());
    }
    assert!(!records.is_empty());
    let said = site.run(&["--dry-run", "-vv"]).text();
    assert!(said.contains("CN=Moritz Mustermann"), "{said}");
}

/// A server that refuses every bind with these words.
async fn refusing(words: &'static str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ldap://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            // Whatever it was, it was the bind.
            let _ = stream.read(&mut request).await;
            let refused = [element(0x0a, &[49]), text(""), text(words)].concat();
            let message = [element(0x02, &[1]), element(0x61, &refused)].concat();
            let _ = stream.write_all(&element(0x30, &message)).await;
        }
    });
    url
}

#[tokio::test]
async fn our_password_in_the_words_of_a_server_is_not_shown() {
    for words in [
        "I got \"correct horse\" from you",
        "GET /?pw=correct%20horse and pw=correct+horse",
        "Authorization: Basic cmVhZGVyOmNvcnJlY3QgaG9yc2U=",
        "636f727265637420686f727365",
        "before \u{1b}]0;correct horse\u{7} \u{202e}after",
    ] {
        let bind = crate::directory::reader("RIGHT");
        assert!(matches!(&bind, Bind::Simple { dn, .. } if dn == READER));
        let server = LdapConfig { bind, ..server(refusing(words).await) };
        let reading = read_it(&config(Origin::Ldap(Box::new(server)), SchemaKind::Userdir)).await;
        assert_partial(&reading, &["the bind was refused", "(not shown)"]);
        let said = missing(&reading);
        for secret in [
            READER_PASSWORD,
            "correct%20horse",
            "correct+horse",
            "Y29ycmVjdC",
            "b3JyZWN0IGhvcn",
            "636f7272",
        ] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
    }
}

#[tokio::test]
async fn the_name_of_an_entry_in_the_words_of_a_server_is_not_shown() {
    let words = "no such entry 'CN=Mustermann\\, Max,OU=People,DC=example'; sn=Mustermann";
    let server =
        LdapConfig { bind: crate::directory::reader("RIGHT"), ..server(refusing(words).await) };
    let reading = read_it(&config(Origin::Ldap(Box::new(server)), SchemaKind::Userdir)).await;
    assert_partial(&reading, &["the bind was refused", "CN=…,OU=People", "sn=…"]);
    assert!(!missing(&reading).contains("Max"), "{}", missing(&reading));
}

#[tokio::test]
async fn nobodys_mail_address_in_the_words_of_a_server_is_shown() {
    let url = refusing("ask <erika.mustermann@example.org> or max%40example.org").await;
    let server = LdapConfig { bind: crate::directory::reader("RIGHT"), ..server(url) };
    let reading = read_it(&config(Origin::Ldap(Box::new(server)), SchemaKind::Userdir)).await;
    assert_partial(&reading, &["the bind was refused", "ask <…@…> or …@…"]);
}

#[tokio::test]
async fn the_words_of_a_server_are_cut() {
    let words: &'static str = Box::leak("lies ".repeat(10_000).into_boxed_str());
    let url = refusing(words).await;
    let server = LdapConfig { bind: crate::directory::reader("RIGHT"), ..server(url) };
    let reading = read_it(&config(Origin::Ldap(Box::new(server)), SchemaKind::Userdir)).await;
    assert_partial(&reading, &["the bind was refused"]);
    assert!(missing(&reading).len() < 1000);
}
