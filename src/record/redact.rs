//! Keeping secrets out of the recorded command line.

const BLANK: &str = "(not shown)";

/// Arguments as they are recorded.
///
/// No option of this program takes a secret. People mistype, wrap and paste all the same, so the
/// value of any option whose name sounds like one is blanked, and so is the password in a URL, with
/// a scheme or without. Options that name a file or a command in which a secret is found are left
/// alone. Where it cannot be told, too much is blanked rather than too little.
pub fn redact_arguments(arguments: &[String]) -> Vec<String> {
    let mut value_follows = false;
    arguments
        .iter()
        .map(|argument| {
            if std::mem::take(&mut value_follows) && !argument.starts_with("--") {
                return BLANK.to_owned();
            }
            if let Some(name) = option_with_value(argument) {
                return format!("{name}{BLANK}");
            }
            value_follows = argument.starts_with('-')
                && (argument == "-w" || (!argument.contains('=') && sounds_secret(argument)));
            if value_follows {
                return argument.clone();
            }
            without_url_passwords(&without_named_secrets(argument))
        })
        .collect()
}

/// `--password=`, `bindpw=`, `-w` of an argument that has its secret behind that.
fn option_with_value(argument: &str) -> Option<&str> {
    // As in `ldapsearch -wVALUE`.
    if argument.starts_with("-w") && argument.len() > 2 {
        return argument.get(..2);
    }
    let end = argument.find(['=', ':', ' '])?;
    let (name, rest) = argument.split_at(end);
    let is_scheme = rest.starts_with("://");
    // `key: value` is a header, `debian:key` or `key:2` the name of something.
    let spaced = rest.starts_with(": ");
    let is_pair = rest.starts_with('=') || (rest.starts_with(':') && (spaced || !is_key(name)));
    (is_pair && !is_scheme && sounds_secret(name)).then(|| &argument[..=end])
}

fn is_key(name: &str) -> bool {
    name.eq_ignore_ascii_case("key")
}

/// Whether a value of that name is likely to be a secret.
fn sounds_secret(name: &str) -> bool {
    const WITHIN: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "passwort",
        "secret",
        "token",
        "credential",
        "apikey",
        "bindpw",
        "authorization",
        "accesskey",
        "privatekey",
    ];
    // Short ones only as whole words: `bypass` and `compass` are none.
    const WORDS: [&str; 5] = ["pw", "pass", "pwd", "key", "auth"];
    let name = name.trim_start_matches('-').to_lowercase();
    if name == "secrets" {
        // The operator's file, which says where secrets are.
        return false;
    }
    let words: Vec<&str> = name.split(|one: char| !one.is_ascii_alphanumeric()).collect();
    let joined = words.concat();
    let named = WITHIN.iter().any(|word| joined.contains(word))
        || words.last().is_some_and(|last| WORDS.contains(last));
    named && !words.last().is_some_and(|last| ["file", "command", "environment"].contains(last))
}

/// Every `name=value` inside an argument (a form, a query, a shell line) whose name sounds like a
/// secret's, with the value blanked.
fn without_named_secrets(argument: &str) -> String {
    let is_name = |one: char| one.is_ascii_alphanumeric() || "_-.".contains(one);
    let ends = |one: char| one.is_whitespace() || "&'\"".contains(one);
    let (mut text, mut rest) = (String::new(), argument);
    while let Some(at) = rest.find('=') {
        let (before, value) = (&rest[..at], &rest[at + 1..]);
        let name = before.rsplit(|one| !is_name(one)).next().unwrap_or_default();
        text.push_str(&rest[..=at]);
        rest = value;
        if sounds_secret(name) && !value.is_empty() {
            // What begins with a quotation mark ends with it.
            let escaped = usize::from(value.starts_with('\\'));
            let quote = value[escaped..].chars().next().filter(|one| "'\"".contains(*one));
            let end = match quote {
                Some(quote) => {
                    value[escaped + 1..].find(quote).map_or(value.len(), |end| end + escaped + 2)
                }
                None => value.find(ends).unwrap_or(value.len()),
            };
            text.push_str(BLANK);
            rest = &value[end..];
        }
    }
    text + rest
}

/// Every `user:password@host`, after a scheme or without one, with the password blanked.
fn without_url_passwords(argument: &str) -> String {
    let words = argument.split_inclusive(char::is_whitespace);
    words
        .map(|word| {
            let mut parts = word.split("://");
            let first = parts.next().unwrap_or_default();
            let mut text =
                if word.contains("://") { first.to_owned() } else { without_scheme(first) };
            for part in parts {
                text.push_str("://");
                text.push_str(&after_scheme(part));
            }
            text
        })
        .collect()
}

/// `user:password@host/…`, right after a scheme. A password may have a slash in it, which it should
/// not; a path may have an `@`.
fn after_scheme(text: &str) -> String {
    let authority = &text[..text.find(['/', '?', '#']).unwrap_or(text.len())];
    if let Some((user_info, _)) = authority.rsplit_once('@') {
        return blank_password(text, user_info.len());
    }
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((_, port)) if !is_port(port) => {
            text.rfind('@').map_or_else(|| text.to_owned(), |at| blank_password(text, at))
        }
        _ => text.to_owned(),
    }
}

fn without_scheme(text: &str) -> String {
    // Words before a colon that are no user but a scheme without slashes.
    const SCHEMES: [&str; 4] = ["mailto", "acct", "xmpp", "sip"];
    match (text.find(':'), text.rfind('@')) {
        (Some(colon), Some(at))
            if colon + 1 < at
                && colon > 0
                && !text[..colon].contains(['/', '@'])
                && !SCHEMES.contains(&text[..colon].to_lowercase().as_str()) =>
        {
            blank_password(text, at)
        }
        _ => text.to_owned(),
    }
}

/// Blanks what is between the first colon and that place.
fn blank_password(text: &str, end: usize) -> String {
    match text[..end].split_once(':') {
        Some((user, _)) => format!("{user}:{BLANK}{}", &text[end..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(line: &str) -> String {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        redact_arguments(&arguments).join(" ")
    }

    #[test]
    fn what_sounds_like_a_secret_is_blanked() {
        for (written, recorded) in [
            ("reconcile --token=abc", "reconcile --token=(not shown)"),
            (
                "reconcile --bind-password abc --org spi",
                "reconcile --bind-password (not shown) --org spi",
            ),
            ("AWS_SECRET_ACCESS_KEY=abc", "AWS_SECRET_ACCESS_KEY=(not shown)"),
            ("--url ldaps://cn=x:pw@[::1]/base", "--url ldaps://cn=x:(not shown)@[::1]/base"),
            ("--bindpw=abc", "--bindpw=(not shown)"),
            ("bindpw=abc", "bindpw=(not shown)"),
            ("--bindpw abc", "--bindpw (not shown)"),
            ("pw=abc", "pw=(not shown)"),
            ("--ldap-pw abc", "--ldap-pw (not shown)"),
            ("pass=abc --pass abc", "pass=(not shown) --pass (not shown)"),
            ("passwd=abc", "passwd=(not shown)"),
            ("pass:abc", "pass:(not shown)"),
            (
                "apikey=abc api-key=abc API_KEY=abc",
                "apikey=(not shown) api-key=(not shown) API_KEY=(not shown)",
            ),
            ("key=abc --signing-key abc", "key=(not shown) --signing-key (not shown)"),
            ("ldapsearch -w abc -b dc=x", "ldapsearch -w (not shown) -b dc=x"),
            ("ldapsearch -wabc", "ldapsearch -w(not shown)"),
            ("-w -abc", "-w (not shown)"),
            ("anna:abc@ldap.example.org", "anna:(not shown)@ldap.example.org"),
            ("anna:a:b@c@host:389/x", "anna:(not shown)@host:389/x"),
            ("anna:a/b@host", "anna:(not shown)@host"),
            ("ldaps://anna:a/b@host/base", "ldaps://anna:(not shown)@host/base"),
            (
                "ldap://a:p1@h1,ldap://b:p2@h2/x",
                "ldap://a:(not shown)@h1,ldap://b:(not shown)@h2/x",
            ),
            ("https://h/x?user=a&token=abc&y=1", "https://h/x?user=a&token=(not shown)&y=1"),
            ("user=x&password=abc&pw=abc", "user=x&password=(not shown)&pw=(not shown)"),
        ] {
            assert_eq!(redacted(written), recorded);
        }
    }

    #[test]
    fn several_secrets_in_one_argument_are_all_blanked() {
        let line =
            "curl -u 'me:abc@x' -d \"pass='a b' token=\\\"c d\\\"\" PW=abc://u:abc@h".to_owned();
        let recorded = redact_arguments(&[line]).remove(0);
        for secret in ["abc", "a b", "c d"] {
            assert!(!recorded.contains(secret), "{recorded}");
        }
        let header = redact_arguments(&["Authorization: Bearer abc def".to_owned()]).remove(0);
        assert_eq!(header, "Authorization:(not shown)");
    }

    #[test]
    fn everything_else_is_recorded_exactly() {
        for line in [
            "reconcile --org spi --only user --metrics /var/lib/x.prom",
            "reconcile --password-file secrets/ldap --secret-command cat",
            "reconcile --password --org spi",
            "ldap://host:389/ou=a@b",
            "reconcile --secrets /etc/reconcile/operator.yaml --dry-run",
            "reconcile record keygen --out /etc/reconcile/record.key",
            "reconcile adopt spi-hub group admin --as group:debian:admin",
            "git@example.org:spi/inventory.git",
            "mailto:anna@example.org",
            "anna@example.org",
            "--bypass yes --compass=north --passage=x monkey=1 keyboard=us",
            "reconcile --approve 12ab:7 --expect 12:ab",
            "https://host:8443/path?x=1&y=2",
            "[::1]:389",
            "--today 2026-11-28 -vv",
        ] {
            assert_eq!(redacted(line), line);
        }
    }
}
